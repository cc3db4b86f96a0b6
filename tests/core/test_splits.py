from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fmridecode.core.settings import SplitConfig
from fmridecode.core.splits import Split, make_splits
from fmridecode.errors import UsageError


def split(participants, *, families=None, seed=0, **config):
    return make_splits(
        participants,
        SplitConfig(**config),
        families=families or {},
        generator=np.random.default_rng(seed),
    )


def labels(n):
    return [f"{i:03d}" for i in range(n)]


def by_family(splits, families):
    return [
        {families.get(p, p) for p in members}
        for each in splits
        for members in (each.train, each.validation, each.test)
    ]


@given(
    family_of=st.lists(st.integers(0, 40), min_size=30, max_size=60),
    folds=st.integers(2, 5),
    holdout=st.booleans(),
    seed=st.integers(0, 5),
)
def test_nobody_has_two_roles_and_families_never_part(family_of, folds, holdout, seed):
    participants = labels(len(family_of))
    families = {p: f"f{f}" for p, f in zip(participants, family_of, strict=True) if f > 5}
    if len(set(families.values())) < 7:
        return
    splits = split(participants, families=families, folds=folds, holdout=holdout, seed=seed)
    assert len(splits) == (1 if holdout else folds)
    for each in splits:
        everybody = [*each.train, *each.validation, *each.test]
        assert sorted(everybody) == participants
        assert each.train
        assert each.validation
        assert each.test
    of_roles = by_family(splits, families)
    for train, validation, test in zip(of_roles[::3], of_roles[1::3], of_roles[2::3], strict=True):
        assert not train & validation
        assert not train & test
        assert not validation & test


@given(n=st.integers(6, 60), folds=st.integers(2, 6), seed=st.integers(0, 5))
def test_every_participant_is_tested_exactly_once_in_folds_of_nearly_equal_size(n, folds, seed):
    splits = split(labels(n), folds=folds, seed=seed)
    assert Counter(p for each in splits for p in each.test) == Counter(labels(n))
    sizes = [len(each.test) for each in splits]
    assert max(sizes) - min(sizes) <= 1


def test_validation_takes_its_share_of_those_not_tested():
    for each in split(labels(100), folds=5, validation_share=0.25):
        assert (len(each.train), len(each.validation), len(each.test)) == (60, 20, 20)


def test_other_participants_validate_in_other_folds():
    validating = {p for each in split(labels(100), folds=5) for p in each.validation}
    assert len(validating) > 40


def test_the_holdout_is_80_10_10():
    (found,) = split(labels(200), holdout=True)
    assert (len(found.train), len(found.validation), len(found.test)) == (160, 20, 20)


def test_the_holdout_trains_on_the_largest_families():
    participants = labels(120)
    families = {p: f"f{min(i // 4, 15)}" for i, p in enumerate(participants[:64])}
    (found,) = split(participants, families=families, holdout=True)
    assert set(families) <= set(found.train)
    assert len(found.validation) == len(found.test) == 12


def test_one_huge_family_leaves_the_holdout_a_validation_set():
    participants = labels(103)
    (found,) = split(participants, families=dict.fromkeys(participants[:100], "f"), holdout=True)
    assert set(participants[:100]) <= set(found.train)
    assert found.validation
    assert found.test


def test_a_family_may_have_the_name_of_a_stranger():
    found = split(["01", "02", "03", "04"], families={"02": "01", "03": "01"}, folds=3)
    assert all(len({each.role("02"), each.role("03")}) == 1 for each in found)
    assert any(each.role("01") != each.role("02") for each in found)


def test_order_and_duplicates_do_not_matter_but_the_seed_does():
    participants = labels(20)
    assert split(participants) == split([*reversed(participants), "003"])
    assert split(participants) != split(participants, seed=1)


@pytest.mark.parametrize(
    ("n", "config", "message"),
    [
        (4, {"folds": 5}, r"4 independent .*--folds 5, which needs at least 5.*lower --folds"),
        (2, {"holdout": True}, r"2 independent .*--holdout, which needs at least 3"),
        (2, {"folds": 2}, r"needs at least 3: add participants\.$"),
        (3, {"folds": 2}, r"--folds 2 leaves only one family of 3"),
    ],
)
def test_too_few_participants_are_an_error_that_says_what_to_do(n, config, message):
    with pytest.raises(UsageError, match=message):
        split(labels(n), **config)


def test_a_family_counts_once_towards_the_folds():
    families = dict.fromkeys(labels(8), "one")
    with pytest.raises(UsageError, match="3 independent participants"):
        split(labels(10), families=families, folds=5)


def test_a_split_knows_everybodys_role():
    found = Split(train=("a", "b"), validation=("c",), test=("d",))
    assert [found.role(p) for p in "abcdx"] == ["train", "train", "validation", "test", ""]
