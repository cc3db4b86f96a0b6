from typing import Any

import pytest

from fmridecode.report.boilerplate import Settings, boilerplate
from fmridecode.report.references import REFERENCES, cited_in


def written(tables: dict[str, Any]) -> str:
    return "\n".join(
        boilerplate(
            Settings(tables=tables),
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
    listed = cited_in((written(config),))
    assert any(each.startswith("McClure") for each in listed)
    assert not any(each.startswith("Madry") for each in listed)
    assert set(listed) <= set(REFERENCES.values())
