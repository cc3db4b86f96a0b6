import pytest

from fmridecode.errors import UsageError
from fmridecode.experiments.study import SimulationConfig


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("participants", 0),
        ("runs", 0),
        ("largest_family", 0),
        ("family_share", 1.5),
        ("dropout", -0.1),
        ("variety", 2.0),
        ("extent", 0.0),
        ("fwhm", float("nan")),
        ("amplitude", -1.0),
        ("noise_map", float("inf")),
        ("seed", -1),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(field: str, value: float) -> None:
    with pytest.raises(UsageError, match=f"{field} = {value}"):
        SimulationConfig(**{field: value})


@pytest.mark.parametrize("classes", [(), ("motor", "motor"), ("motor", "tennis")])
def test_classes_must_be_known_and_named_once(classes: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match=r"classes = .*: name each class once, from emotion"):
        SimulationConfig(classes=classes)
