import pytest

from fmridecode.core.maps import UNKNOWN, MapClass
from fmridecode.errors import UsageError
from fmridecode.pipeline.matching import match_classes


def classes(*names: str) -> list[MapClass]:
    return [MapClass(name=name) for name in names]


def test_no_map_is_of_the_class_that_stands_for_all_else() -> None:
    own = classes("self", "other")
    assert match_classes(own, classes("self", "other"), {}) == (0, 1)
    assert match_classes(own, [*classes("self"), None], {}) == (0, UNKNOWN)
    with pytest.raises(UsageError, match="the decoder has no class other"):
        match_classes(own, [*classes("self"), None], {"self": "other"})
