import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmridecode.bids.labels import camel, check_distinct, listing, normal
from fmridecode.errors import UsageError


@given(st.text())
def test_a_camel_label_is_letters_and_digits_or_refused(text: str) -> None:
    try:
        label = camel(text)
    except UsageError:
        assert not normal(text)
    else:
        assert label.isalnum()
        assert label.isascii()
        assert normal(label) == normal(text)


def test_labels_that_would_share_a_file_are_refused() -> None:
    check_distinct(["heat", "warmth"])
    with pytest.raises(UsageError, match=r"'heat-1' and 'Heat1'"):
        check_distinct(["heat-1", "Heat1"])


def test_an_empty_listing_says_so() -> None:
    assert listing([]) == "none"
