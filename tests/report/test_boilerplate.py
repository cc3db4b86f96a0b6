from typing import Any

import pytest

from fmridecode.report.boilerplate import boilerplate
from fmridecode.report.references import cited_in
from fmridecode.report.resolved import Settings


def written(tables: dict[str, Any], group: dict[str, Any] | None = None) -> str:
    return "\n".join(
        boilerplate(
            Settings(tables=tables),
            group=Settings(tables=group or {}),
            given={},
            version="0.1.0",
            n_participants=40,
            n_maps=160,
            classes=("heat", "rejection"),
        )
    )


def test_the_text_is_filled_from_the_config(config: dict[str, Any]) -> None:
    text = written(config)
    for part in (
        "160 first-level statistical maps of 40 participants in 2 conditions (heat and rejection)",
        "to the 8 mm grid of the template MNI152NLin2009cAsym",
        "in 4 folds",
        "4 hops per minibatch",
        "radius 0.1 SD per voxel",
        "batches of 16 maps",
        "20 copies, noise SD 2",
    ):
        assert part in text


def test_an_empty_config_leaves_sentences_out_and_says_nothing_wrong() -> None:
    text = written({})
    assert "None" not in text
    assert "trained with Adam" not in text
    assert "folds" not in text


@pytest.mark.parametrize(
    ("scheme", "phrase"),
    [
        ("standard", "no perturbation"),
        ("random-noise", "a draw from"),
        ("adversarial", "Algorithm 1"),
        ("pgd", "projected gradient descent"),
    ],
)
def test_each_training_scheme_is_described(scheme: str, phrase: str) -> None:
    assert phrase in written({"training": {"scheme": scheme, "epsilon": 0.1, "steps": 3}})


def test_a_holdout_is_not_called_a_cross_validation() -> None:
    text = written({"split": {"holdout": True, "folds": 5}})
    assert "split once into 80 %" in text
    assert "cross-validated" not in text


def test_what_is_cited_is_listed_and_nothing_else(config: dict[str, Any]) -> None:
    keys = [each.key for each in cited_in((written(config),))]
    assert {"mcclure2020", "guo2017", "smilkov2017", "paszke2019", "fonov2009"} <= set(keys)
    assert not {"madry2018", "petsiuk2018", "evans2012", "winkler2014"} & set(keys)


@pytest.mark.parametrize(
    ("evaluation", "phrase", "absent"),
    [
        (
            {"baseline": "linear"},
            "a multinomial linear decoder was trained",
            "anew on",
        ),
        ({"baseline": "off"}, "outputs scored anew", "multinomial linear decoder"),
        ({"baseline": "linear", "permutation_refits": 999}, "every fold for 999 such", "Petsiuk"),
        ({"faithfulness": "quick"}, "replaced by 0, or put back", "smoothed"),
        ({"faithfulness": "full"}, "replaced by 0 or by the smoothed map", "anew on"),
        ({"faithfulness": "off"}, "outputs scored anew", "deletion"),
        ({"sanity": "quick"}, "cascading randomisation", "permuted within participants by"),
        ({"sanity": "full"}, "trained on labels permuted within participants by", "Yeh"),
        ({"reliability": "quick"}, "Spearman-Brown", "cascading"),
        ({"robustness": "quick"}, "5 steps", "Spearman-Brown"),
        ({"robustness": "full"}, "20 steps", "5 steps"),
        (
            {"sanity": "off", "reliability": "off", "robustness": "off"},
            "scored anew",
            "gradient d",
        ),
    ],
)
def test_the_evaluation_is_described_as_it_was_set(
    evaluation: dict[str, Any], phrase: str, absent: str
) -> None:
    text = written({"model": {"architecture": "cnn"}, "evaluation": evaluation})
    assert phrase in text
    assert absent not in text


def test_a_linear_decoder_is_not_compared_with_itself() -> None:
    text = written({"model": {"architecture": "linear"}, "evaluation": {"baseline": "linear"}})
    assert "For comparison" not in text


def test_maps_over_participants_are_described_by_the_settings_of_the_group_level() -> None:
    tests = {"group_statistics": "full", "permutations": 2000, "atlas": "Schaefer2018:400Parcels"}
    text = written({"evaluation": {"group_statistics": "off"}}, {"evaluation": tests})
    assert "2\N{NARROW NO-BREAK SPACE}000 random changes of sign (Winkler et al., 2014" in text
    assert "size and mass of clusters" in text
    assert "atlas Schaefer2018:400Parcels (Schaefer et al., 2018)" in text
    assert "changes of sign" not in written({"evaluation": tests})


def test_interactions_are_not_called_maps() -> None:
    tables = {
        "saliency": {"methods": ["gradient", "hessian"]},
        "evaluation": {"atlas": "/data/atlas-A_dseg.nii.gz"},
    }
    text = written(tables)
    assert "Signed saliency maps were computed as the gradient of" in text
    assert "How the parcels of the atlas atlas-A_dseg.nii.gz interact" in text
    assert "Their alignment" not in text
    alone = written({"saliency": {"methods": ["hessian"]}})
    assert "Hessian-vector products" in alone
    assert "alignment" not in alone
    assert [each.key for each in cited_in((alone,)) if each.key == "dombrowski2019"]
