import json
import shutil
from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from fmridecode.bids.derivatives import read_table
from fmridecode.bundles.bundle import Bundle
from fmridecode.core.settings import EvaluationConfig
from fmridecode.core.splits import Split
from fmridecode.pipeline.group.measures import GROUP_TABLES
from fmridecode.pipeline.participant.again import QUICK_SAMPLES, again
from fmridecode.pipeline.participant.decode import decode
from fmridecode.pipeline.participant.explain import explain
from fmridecode.pipeline.participant.measures import MEASURES
from fmridecode.pipeline.participant.reliability import reliability_tables
from fmridecode.pipeline.participant.robustness import robustness_tables
from fmridecode.pipeline.participant.sanity import sanity_tables
from fmridecode.pipeline.participant.subject import Subject
from fmridecode.pipeline.training.fitting import fit_decoder
from fmridecode.pipeline.turns import Turn

CPU = torch.device("cpu")
OFF = [each for measure in MEASURES for each in (f"--{measure.setting}", "off")]


@pytest.fixture(scope="module")
def subject_of(small_maps: Callable, quick: Callable) -> Callable[..., Subject]:
    """Return a maker of a participant explained by a small ensemble that was trained a little."""
    maps = small_maps(12)
    everyone = tuple(sorted(set(maps.participants)))
    split = Split(train=everyone[:7], validation=everyone[7:11], test=everyone[11:])
    settings = {"model": {"ensemble": 2}, "saliency": {"smoothgrad_samples": QUICK_SAMPLES + 2}}
    decoder = fit_decoder(quick(settings), maps, split, fold=1, device=CPU).decoder

    def make(**evaluation: str) -> Subject:
        config = quick(settings, {"evaluation": evaluation})
        bundle = Bundle(decoder=decoder, hash="x", path=Path())
        turn = Turn(
            bundle=bundle, fold=1, participants=everyone[11:], seen=frozenset(), config=config
        )
        decoded = decode(bundle, maps, everyone[11], fold=1, seen_in_training=False, device=CPU)
        parts = list(explain(bundle, maps, decoded, config, device=CPU))
        saliency = {part.method: part.true_class for part in parts}
        return Subject(turn=turn, maps=maps, decoded=decoded, saliency=saliency, device=CPU)

    return make


def test_every_measure_has_its_setting_and_its_group_table() -> None:
    settings = {each.name for each in fields(EvaluationConfig)}
    assert {measure.setting for measure in MEASURES} <= settings
    tables = {f"{name}.tsv" for measure in MEASURES for name in measure.dictionaries}
    assert {each.ending for each in GROUP_TABLES} == tables


def test_tables_of_measures_that_are_off_are_removed(
    whole: Path, study: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    shutil.copytree(whole, tmp_path / "out")
    func = tmp_path / "out" / "sub-001" / "func"
    names = [name for measure in MEASURES for name in measure.dictionaries]
    for name in names:
        table = read_table(func / f"sub-001_{name}.tsv")
        said = json.loads((func / f"sub-001_{name}.json").read_text())
        assert list(said) == list(table.columns)
    asked = ("--participant-label", "001", "--group-column", "family", *OFF)
    assert job(study, tmp_path / "out", "participant", *asked) == 0
    assert not [name for name in names if list(func.glob(f"*{name}*"))]


def test_full_repeats_the_maps_that_were_written(subject_of: Callable[..., Subject]) -> None:
    subject = subject_of()
    found = again(subject, "full").by(subject.decoder)
    for method in ("gradient", "gradient-x-input"):
        other = found[method][:, subject.maps.mask]
        for a, b in zip(subject.saliency[method], other, strict=True):
            assert np.corrcoef(a, b)[0, 1] == pytest.approx(1, abs=1e-5)


def test_quick_takes_one_map_and_few_noisy_copies(
    subject_of: Callable[..., Subject],
) -> None:
    subject = subject_of()
    chosen = again(subject, "quick")
    assert chosen.saliency.smoothgrad_samples == QUICK_SAMPLES
    assert len(chosen.indices) == 1
    assert chosen.indices[0] in subject.known
    assert again(subject, "quick").indices == chosen.indices  # drawn, but the same each time


def test_the_map_that_quick_takes_is_of_any_class(subject_of: Callable[..., Subject]) -> None:
    subject = subject_of()
    decoded = subject.decoded
    labels = set()
    for who in sorted(set(subject.maps.participants)):
        own = replace(subject, decoded=replace(decoded, indices=subject.maps.where({who})))
        labels |= {example.label for _, example in own.examples("quick")}
    assert labels == {0, 1, 2}


def test_sanity_has_a_row_for_every_layer_draw_and_map(
    subject_of: Callable[..., Subject],
) -> None:
    (quick,) = sanity_tables(subject_of(sanity="quick")).values()
    assert len(quick) == 1 * 3 * 2  # maps, methods, layers
    assert list(quick["layer"].unique()) == ["logits", "convolution 1"]
    (full,) = sanity_tables(subject_of(sanity="full")).values()
    assert len(full) == 5 * 3 * len(quick)  # draws, maps
    drawn = full[(full["method"] == "gradient") & (full["label"] == "a") & (full["depth"] == 2)]
    assert drawn["rank_correlation"].nunique() == 5


def test_the_same_seed_gives_the_same_tables(subject_of: Callable[..., Subject]) -> None:
    for make in (sanity_tables, reliability_tables, robustness_tables):
        (one,), (other,) = (make(subject_of()).values() for _ in range(2))
        assert one.equals(other)


def test_members_of_an_ensemble_are_compared_in_pairs(
    subject_of: Callable[..., Subject],
) -> None:
    (table,) = reliability_tables(subject_of()).values()
    members = table[table["measure"] == "members"]
    assert len(members) == 3  # methods
    assert (members["n"] == 1).all()
    assert not members["seen_in_training"].any()
    assert members["value"].between(-1, 1).all()
    assert set(table["measure"]) == {"members", "sensitivity"}  # no folds, one session


def test_sessions_of_a_class_are_compared(subject_of: Callable[..., Subject]) -> None:
    subject = subject_of()
    examples = list(subject.maps.examples)
    for number, index in enumerate(subject.known):
        label = examples[subject.known[0]].label if number < 2 else 2
        examples[index] = replace(examples[index], session=str(number), label=label)
    moved = replace(subject, maps=replace(subject.maps, examples=tuple(examples)))
    (table,) = reliability_tables(moved).values()
    sessions = table[table["measure"] == "sessions"].set_index("method")
    first, second = (subject.saliency["gradient"][k] for k in (0, 1))
    expected = np.corrcoef(first, second)[0, 1]
    assert sessions.loc["gradient", "value"] == pytest.approx(expected, abs=1e-5)
    assert sessions["session_id"].isna().all()


def test_robustness_names_the_bound_of_training(subject_of: Callable[..., Subject]) -> None:
    (table,) = robustness_tables(subject_of(robustness="full")).values()
    assert (table["steps"] == 20).all()
    assert table["epsilon_trained"].isna().all() or (table["epsilon_trained"] == 0.1).all()
    clean = table[table["epsilon"] == 0].reset_index()
    subject = subject_of()
    own = subject.decoded.probabilities[np.arange(3), [0, 1, 2]]
    assert np.allclose(clean["probability"], own)
