"""The model card that travels with a decoder."""

from fmridecode.core.trained import TrainedDecoder


def model_card(decoder: TrainedDecoder) -> str:
    """Return a README in Hugging Face's model-card form, from what the decoder itself knows."""
    model, training, grid = decoder.model_config, decoder.training_config, decoder.grid
    calibration = decoder.calibration
    classes = "\n".join(
        f"- `{each.name}`" + (f" (task {each.task})" if each.task not in ("", each.name) else "")
        for each in decoder.classes
    )
    shape = " x ".join(map(str, grid.shape))
    recipe: str = training.scheme
    if training.scheme != "standard":
        recipe += f", noise bound {training.epsilon} SD per voxel, {training.steps} steps"
    bound = ", at the bound of its range" if calibration.at_bound else ""
    return f"""---
library_name: fmridecode
tags:
  - fmri
  - neuroimaging
  - decoding
---

# {model.architecture}, trained with {training.scheme}

Decodes {len(decoder.classes)} classes from one z-scored contrast map.

{classes}

## Training

{decoder.n_maps} maps of {decoder.n_participants} participants; {recipe}; L2 coefficient
{training.l2:g}; seed {decoder.seed}.

## Grid

{grid.space}, {shape} voxels (`res-{grid.resolution}`). Mask: {decoder.mask_source}. The z-score
covers the {decoder.zscore}.

## Calibration

Temperature {calibration.temperature:.3f}{bound}. On the validation maps that chose it:

| | before | after |
| --- | --- | --- |
| negative log-likelihood | {calibration.nll_before:.3f} | {calibration.nll_after:.3f} |
| expected calibration error | {calibration.ece_before:.3f} | {calibration.ece_after:.3f} |

## Limits

A decoder of group contrast maps says nothing about the health of a person. Its probabilities
hold for maps made like those it was trained on.
"""
