from itertools import islice

import numpy as np
import pytest

from fmridecode.experiments.individuals import individuals, stream
from fmridecode.experiments.study import SimulationConfig


def test_streams_of_different_keys_are_independent() -> None:
    keys = [("noise", ()), ("noise", (0,)), ("noise", (0, 0)), ("noise", (1,)), ("gain", ())]
    firsts = {float(stream(0, purpose, *key).standard_normal()) for purpose, key in keys}
    assert len(firsts) == len(keys)


def test_relatives_correlate_by_the_family_share_and_strangers_do_not() -> None:
    people = list(individuals(SimulationConfig(participants=40, family_share=0.5)))
    draws = np.array([person.normal("noise", (4000,)) for person in people])
    r = np.corrcoef(draws)
    family = np.array([person.family for person in people])
    kin = (family[:, None] == family) & ~np.eye(len(people), dtype=bool)
    stranger = family[:, None] != family
    assert r[kin].mean() == pytest.approx(0.5, abs=0.03)
    assert r[stranger].mean() == pytest.approx(0.0, abs=0.03)
    assert draws.std() == pytest.approx(1.0, abs=0.02)


def test_labels_sort_as_numbers_do() -> None:
    people = islice(individuals(SimulationConfig(participants=1500)), 120)
    labels = [person.label for person in people]
    assert labels == sorted(labels)
    assert labels[0] == "001"
