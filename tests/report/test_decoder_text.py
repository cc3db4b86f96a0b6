from typing import Any

import pytest

from fmridecode.config import compose, preset_values
from fmridecode.report.decoder_text import decoder_text, given_text
from fmridecode.report.resolved import Settings


def written(preset: str = "default", **model: Any) -> str:
    from dataclasses import asdict

    config = compose(preset_values(preset), {"model": model})
    return decoder_text(Settings(tables=asdict(config)))


def test_the_default_preset_is_described_as_it_is() -> None:
    text = written()
    for part in (
        "of 1 convolutional layer (8 filters, weight-normalised; Salimans & Kingma, 2016)",
        "Filters of the layer were 4 × 4 × 4 voxels with stride 2",
        "until their shortest axis had fewer than 48 voxels",
        "bent towards it, as 5 tanh(x / 5)",
        "a linear path led from every voxel to the logits",
        "started at zero",
        "The logits of 3 decoders",
        "learning rate 0.0003, cosine schedule, batches of 32 maps, at most 32 epochs)",
        "learning rate of 1 divided by the number of voxels",
        "with 4 hops per minibatch",
        "that of the pass that updated the weights",
    ):
        assert part in text
    assert "pooling" not in text


def test_the_papers_network_is_described_as_it_is() -> None:
    text = written("paper")
    assert "of 5 convolutional layers (32, 32, 64, 64 and 64 filters" in text
    assert "average pooling over 2 × 2 × 2 voxels followed with stride 2 each layer" in text
    for absent in ("4 × 4", "tanh", "linear path", "zero", "cosine", "single voxels", "averaged"):
        assert absent not in text


@pytest.mark.parametrize(
    ("model", "part"),
    [
        (
            {"halvings": 1},
            "stride 2 the first layer, as far as the grid could be halved, and",
        ),
        ({"halvings": 4}, "with stride 2 the first 4 layers, as far as the grid could be halved"),
        ({"halvings": 4}, "and with stride 1 the other."),
        (
            {"architecture": "cnn-stride1"},
            "averaging over 2 × 2 × 2 voxels with stride 1",
        ),
        ({"architecture": "cln"}, "a convolutional network without non-linearities of 5"),
        ({"pooling": "stride", "halvings": 2}, "Filters of the first 2 layers were 4 × 4 × 4"),
        ({"pooling": "stride", "halvings": 2}, "Those of the other layers were 3 × 3 × 3 voxels"),
    ],
)
def test_how_the_grid_shrinks_is_told(model: dict[str, Any], part: str) -> None:
    assert part in written("paper", **model)


def test_a_linear_decoder_has_no_convolutions() -> None:
    text = written(architecture="linear")
    assert "a multinomial linear decoder." in text
    assert "convolution" not in text
    assert "divided by the number of voxels" in text


def test_a_decoder_that_was_given_is_not_said_to_have_been_trained_here() -> None:
    text = given_text(
        {"model": "hcp7", "architecture": "cnn", "training": "adversarial", "n_maps": 700,
         "n_participants": 100, "dataset": "HCP"}
    )  # fmt: skip
    assert text.startswith("No decoder was trained on these maps. They were decoded by hcp7: a")
    assert "trained on 700 maps of 100 participants of HCP (adversarial training)" in text
