import json
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest

from fmridecode.bids.derivatives import read_table, write_table
from fmridecode.core.criteria import pearson
from fmridecode.pipeline.participant.explain import SCORES_DICTIONARY
from fmridecode.pipeline.participant.panel import choose_typical


def panels(out: Path) -> list[Path]:
    return sorted(out.glob("sub-*/func/*_panel.nii.gz"))


def sidecar(path: Path) -> dict[str, object]:
    return dict(json.loads(path.with_name(path.name.replace(".nii.gz", ".json")).read_text()))


def test_a_whole_run_keeps_the_panel_of_one_typical_participant_a_class(whole: Path) -> None:
    said = [sidecar(path) for path in panels(whole)]
    assert sorted(str(each["TrueClass"]) for each in said) == ["emotion", "gambling", "language"]
    assert all(each["Typical"] for each in said)
    assert not any(each["TrainedOnParticipant"] for each in said)


def test_the_typical_participant_has_the_median_cia(whole: Path) -> None:
    scores = pd.concat(
        read_table(path) for path in whole.glob("sub-*/func/*interpretability_scores.tsv")
    )
    scores = scores[(scores["criterion"] == "CIA") & (scores["method"] == "smoothgrad")]
    for path in panels(whole):
        of_class = scores[scores["label"] == sidecar(path)["TrueClass"]]
        own = of_class.set_index("participant_id").loc[path.name.split("_")[0], "pearson_r"]
        assert own == of_class["pearson_r"].median()


def test_the_correlations_of_a_panel_are_those_of_the_scores(whole: Path) -> None:
    path = panels(whole)[0]
    who, said = path.name.split("_")[0], sidecar(path)
    scores = read_table(path.parent / f"{who}_desc-interpretability_scores.tsv")
    scores = scores[scores["label"] == said["TrueClass"]].set_index(["method", "target"])
    volumes = [each for each in said["Volumes"] if each["Kind"] == "saliency"]  # type: ignore[attr-defined]
    assert len(volumes) == 3 * 3
    for each in volumes:
        expected = scores.loc[(each["SaliencyMethod"], each["TargetClass"])]
        assert each["PearsonR"] == pytest.approx(expected["pearson_r"], abs=1e-5)
        assert each["Criterion"] == expected["criterion"]


def test_the_volumes_of_a_panel_correlate_as_its_sidecar_says(whole: Path) -> None:
    path = panels(whole)[0]
    values = nib.load(path).get_fdata()
    mask = (values != 0).any(axis=-1)
    volumes = sidecar(path)["Volumes"]
    assert values.shape[3] == len(volumes)  # type: ignore[arg-type]
    shown = {
        each["TargetClass"]: values[mask, k]
        for k, each in enumerate(volumes)  # type: ignore[arg-type]
        if each["Kind"] != "saliency"
    }
    for k, each in enumerate(volumes):  # type: ignore[arg-type]
        if each["Kind"] == "saliency":
            r = pearson(values[mask, k], shown[each["TargetClass"]])
            assert r == pytest.approx(each["PearsonR"], abs=1e-4)


def test_panels_of_everyone_are_kept_where_they_are_asked_for(
    whole: Path, study: Path, job: Callable[..., int], tmp_path: Path
) -> None:
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    family = ("--group-column", "family")
    who = sorted(path.name for path in out.glob("sub-*") if path.is_dir())[0]
    options = (*family, "--participant-label", who, "--panels", "all")
    assert job(study, out, "participant", *options) == 0
    own = [path for path in panels(out) if path.name.startswith(who)]
    assert len(own) == 3
    assert not any(sidecar(path)["Typical"] for path in own)
    others = {path.name for path in panels(whole) if not path.name.startswith(who)}
    assert others <= {path.name for path in panels(out)}


def test_of_those_not_seen_in_training_the_lower_of_the_middle_two_is_typical(
    tmp_path: Path,
) -> None:
    for who, r in (("01", 0.4), ("02", 0.1), ("03", 0.3), ("04", 0.2), ("05", 0.25)):
        row = dict.fromkeys(SCORES_DICTIONARY, "x")
        row |= {"participant_id": f"sub-{who}", "label": "heat", "criterion": "CIA"}
        write_table(
            tmp_path / f"sub-{who}" / "func" / f"sub-{who}_desc-interpretability_scores.tsv",
            pd.DataFrame([{**row, "method": "gradient", "pearson_r": r}]),
            SCORES_DICTIONARY,
        )
    write_table(
        tmp_path / "sub-05" / "func" / "sub-05_desc-decoding_predictions.tsv",
        pd.DataFrame({"seen_in_training": [True]}),
        {"seen_in_training": "Seen."},
    )
    everyone = ["01", "02", "03", "04", "05"]
    assert choose_typical(tmp_path, everyone, ["warmth", "heat"], "gradient") == {1: "04"}
    assert choose_typical(tmp_path, everyone, ["heat"], "smoothgrad") == {}
    assert np.array_equal(list(choose_typical(tmp_path, [], ["heat"], "gradient")), [])
