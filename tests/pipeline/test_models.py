"""Decoders as files: listed, shown, verified, zipped and exported."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from fmridecode.bids.derivatives import read_table
from fmridecode.bundles.bundle import load
from fmridecode.bundles.files import CONFIG
from fmridecode.errors import BadDataError, CannotCreateError, NoInputError, UsageError
from fmridecode.pipeline import models
from fmridecode.pipeline.models import Card, export, listed, shown, verified, zip_model

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def folder(whole: Path) -> Path:
    """Return the folder of the small study's folds."""
    return next((whole / "models").glob("*"))


@pytest.fixture(scope="module")
def exported(whole: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the mean of the folds as one bundle."""
    target = tmp_path_factory.mktemp("exported") / "decoder"
    export(whole, target, fold=0, card=Card(title="Three tasks", licence="CC0"))
    return target


def test_a_trained_decoder_knows_its_data_set(folder: Path, study: Path) -> None:
    origin = load(folder / "fold-1", device=CPU).decoder.origin
    said = json.loads((study / "dataset_description.json").read_text())
    assert origin.dataset == said["Name"]
    assert origin.stat == "z"
    assert origin.definitions[0] == "task emotion"


def test_all_decoders_of_a_run_are_listed(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "shipped", dict)
    assert listed(None).empty
    table = listed(whole)
    assert len(table) == 3
    assert set(table["architecture"]) == {"linear"}
    assert set(table["accuracy"]) == {"n/a"}
    with pytest.raises(NoInputError, match="no decoders"):
        listed(tmp_path)


def test_verifying_a_run_loads_every_fold_and_notices_a_changed_byte(
    whole: Path, tmp_path: Path
) -> None:
    assert len({each.hash for each in verified(str(whole))}) == 3
    copied = tmp_path / "out"
    shutil.copytree(whole / "models", copied / "models")
    weights = next(copied.glob("models/*/fold-2/model.safetensors"))
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    with pytest.raises(BadDataError, match="fold-2"):
        list(verified(str(copied)))


def test_the_card_of_an_exported_decoder_has_the_numbers_of_the_group_level(
    whole: Path, exported: Path
) -> None:
    decoder = load(exported, device=CPU).decoder
    table = read_table(whole / models.METRICS).set_index("metric")
    own = {each.metric: each for each in decoder.origin.scores}
    for metric, row in table.iterrows():
        assert own[metric].estimate == row["estimate"]
    assert own["accuracy"].ci_low == table.loc["accuracy", "ci_low"]
    assert own["ece"].n_maps == table.loc["ece", "n_maps"]
    card = (exported / "README.md").read_text()
    assert "# Three tasks" in card
    assert f"| accuracy | {table.loc['accuracy', 'estimate']:.3f} |" in card
    assert "CIA of gradient" in card
    assert "CC0" in card
    assert "# Three tasks" in shown(str(exported))


def test_an_exported_decoder_is_the_mean_of_the_folds(folder: Path, exported: Path) -> None:
    whole = load(exported, device=CPU).decoder
    folds = [load(folder / f"fold-{k}", device=CPU).decoder for k in (1, 2, 3)]
    x = torch.randn(2, *whole.grid.shape, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = torch.stack([each.model(x) for each in folds]).mean(dim=0)
        torch.testing.assert_close(whole.model(x), expected)
    inverse = np.mean([1 / each.temperature for each in folds])
    assert whole.temperature == pytest.approx(1 / inverse)
    assert whole.n_participants == 9


def test_the_card_of_one_fold_has_scores_of_those_it_did_not_see(
    whole: Path, folder: Path, tmp_path: Path
) -> None:
    export(whole, tmp_path / "one.zip", fold=2, card=Card())
    decoder = load(tmp_path / "one.zip", device=CPU).decoder
    scores = {each.metric: each for each in decoder.origin.scores}
    correct = [
        value
        for path in whole.glob("sub-*/func/*_desc-decoding_predictions.tsv")
        for fold, value in read_table(path)[["fold", "correct"]].itertuples(index=False)
        if fold == 2
    ]
    assert scores["accuracy"].estimate == pytest.approx(np.mean(correct))
    assert scores["accuracy"].n_maps == len(correct)


def test_what_was_exported_decodes_like_a_bundle(
    study: Path, exported: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    asked = ("--saliency", "gradient", "--faithfulness", "off", "--participant-label", "001")
    out = tmp_path / "out"
    assert job.plain(study, out, "participant", "--model", str(exported), *asked) == 0
    assert (out / "sub-001/func/sub-001_desc-decoding_predictions.tsv").exists()


def test_zipping_keeps_the_hash(exported: Path, tmp_path: Path) -> None:
    named = zip_model(str(exported), tmp_path / "a.zip")
    assert named == load(exported, device=CPU).hash == load(tmp_path / "a.zip", device=CPU).hash
    with pytest.raises(CannotCreateError, match="exists"):
        zip_model(str(exported), tmp_path / "a.zip")


def test_what_cannot_be_exported_is_a_line(
    whole: Path, folder: Path, exported: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="--fold is 9"):
        export(whole, tmp_path / "x", fold=9, card=Card())
    with pytest.raises(UsageError, match="bundle already"):
        export(exported, tmp_path / "x", fold=0, card=Card())
    with pytest.raises(CannotCreateError, match="exists"):
        export(whole, tmp_path, fold=0, card=Card())
    with pytest.raises(UsageError, match="models export"):
        zip_model(str(whole), tmp_path / "x.zip")
    unfinished = tmp_path / "unfinished"
    shutil.copytree(whole / "models", unfinished / "models")
    with pytest.raises(NoInputError, match="run the group level"):
        export(unfinished, tmp_path / "x", fold=0, card=Card())
    next(unfinished.glob("models/*/fold-3")).joinpath(CONFIG).unlink()
    with pytest.raises(UsageError, match="not trained to the end"):
        export(unfinished, tmp_path / "x", fold=0, card=Card())


def test_the_terminal_is_not_controlled_by_a_card(exported: Path, tmp_path: Path) -> None:
    assert models._printable("a\x1b[2Jb\nc") == "a?[2Jb\nc"
