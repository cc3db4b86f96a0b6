"""The model card that travels with a decoder."""

import json
from collections.abc import Iterable

from fmridecode.core.origin import Score
from fmridecode.core.target import Number
from fmridecode.core.trained import TrainedDecoder

_KNOWN = {
    "accuracy": "accuracy",
    "balanced_accuracy": "accuracy",
    "roc_auc": "roc_auc",
    "brier_score": "brier_score",
}
"""Metrics that Hugging Face knows, by ours."""


def model_card(decoder: TrainedDecoder) -> str:
    """Return a README in Hugging Face's model-card form, from what the decoder itself knows."""
    origin, grid = decoder.origin, decoder.grid
    title = origin.title or (
        f"{decoder.model_config.architecture}, trained with {decoder.training_config.scheme}"
    )
    shape = " x ".join(map(str, grid.shape))
    described = f"{_line(origin.description)}\n\n" if origin.description else ""
    limits = f" {_line(origin.limits)}" if origin.limits else ""
    return f"""{_front_matter(decoder)}
# {_line(title)}

{described}Decodes {_decoded(decoder)} from one z-scored contrast map.

{_classes(decoder)}

## Training

{_training(decoder)}

## Scores

{_scores(origin.scores)}

## Grid

{grid.space}, {shape} voxels (`res-{grid.resolution}`). Mask: {_line(decoder.mask_source)}. The
z-score covers the {decoder.zscore}.

## Calibration

{_calibration(decoder)}

## Limits

A decoder of group contrast maps says nothing about the health of a person. Its {_outputs(decoder)}
hold for maps made like those it was trained on.{limits}

## Licence

{_line(origin.licence) or "Not stated by the data set that trained it."}
"""


def _outputs(decoder: TrainedDecoder) -> str:
    return "probabilities" if decoder.number is None else "predictions"


def _decoded(decoder: TrainedDecoder) -> str:
    if decoder.number is None:
        return f"{len(decoder.classes)} classes"
    target = decoder.number.target
    return f"the number `{_line(target.name)}`" + (
        f" (in {_line(target.unit)})" if target.unit else ""
    )


def _front_matter(decoder: TrainedDecoder) -> str:
    """Return the YAML; JSON's strings are YAML's, so that no text can break out of it."""
    origin = decoder.origin
    lines = ["library_name: fmridecode", "tags:", "  - fmri", "  - neuroimaging", "  - decoding"]
    if origin.licence:
        lines += ["license: other", f"license_name: {_quoted(origin.licence)}"]
    if origin.scores:
        lines += ["model-index:", f"  - name: {_quoted(origin.title or 'fmridecode')}"]
        lines += ["    results:"]
    for data in dict.fromkeys(score.data for score in origin.scores):
        lines += ["      - task:", "          type: other", "          name: fMRI decoding"]
        lines += ["        dataset:", "          type: other", f"          name: {_quoted(data)}"]
        lines += ["        metrics:"]
        for score in origin.scores:
            if score.data == data:
                lines += [
                    f"          - type: {_KNOWN.get(score.metric, 'other')}",
                    f"            name: {_quoted(score.metric)}",
                    f"            value: {score.estimate:.6g}",
                ]
    return "\n".join(["---", *lines, "---", ""])


def _classes(decoder: TrainedDecoder) -> str:
    definitions = decoder.origin.definitions or tuple(
        f"task {each.task}" if each.task not in ("", each.name) else "" for each in decoder.classes
    )
    return "\n".join(
        f"- `{each.name}`" + (f" ({_line(what)})" if what else "")
        for each, what in zip(decoder.classes, definitions, strict=True)
    )


def _training(decoder: TrainedDecoder) -> str:
    training, origin = decoder.training_config, decoder.origin
    recipe: str = training.scheme
    if training.scheme != "standard":
        recipe += f", noise bound {training.epsilon} SD per voxel, {training.steps} steps"
    members = decoder.model_config.ensemble
    averaged = f", the mean of {members} networks" if members > 1 else ""
    text = (
        f"{decoder.n_maps} maps of {decoder.n_participants} participants; "
        f"{decoder.model_config.architecture}{averaged}; {recipe}; L2 coefficient "
        f"{training.l2:g}; seed {decoder.seed}."
    )
    if origin.dataset:
        text += f" Data set: {_line(origin.dataset)}"
        text += f", by {_line(', '.join(origin.authors))}." if origin.authors else "."
    if origin.stat:
        text += f" Statistic of the maps: {_line(origin.stat)}."
    return text


def _scores(scores: Iterable[Score]) -> str:
    rows = [
        f"| {_cell(each.data)} | {_cell(each.metric)} | {each.estimate:.3f} | {_interval(each)} | "
        f"{each.n_participants} | {each.n_maps} |"
        for each in scores
    ]
    if not rows:
        return "None were measured of this very decoder."
    head = [
        "| data | metric | estimate | 95 % interval | participants | maps |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *rows])


def _interval(score: Score) -> str:
    if score.ci_low is None or score.ci_high is None:
        return "n/a"
    return f"{score.ci_low:.3f} to {score.ci_high:.3f}"


def _calibration(decoder: TrainedDecoder) -> str:
    if decoder.number is not None:
        return _spread(decoder.number)
    calibration = decoder.calibration
    if calibration is None:
        return "Not calibrated."
    bound = ", at the bound of its range" if calibration.at_bound else ""
    return f"""Temperature {calibration.temperature:.3f}{bound}. On the validation maps that
chose it:

| | before | after |
| --- | --- | --- |
| negative log-likelihood | {calibration.nll_before:.3f} | {calibration.nll_after:.3f} |
| expected calibration error | {calibration.ece_before:.3f} | {calibration.ece_after:.3f} |"""


def _spread(number: Number) -> str:
    spread = number.spread
    bound = ", at the bound of its range" if spread.at_bound else ""
    return f"""The network says mean and variance in units of the training participants, who had a
mean of {number.mean:.6g} and an SD of {number.sd:.6g}. The predicted SD is multiplied with
{spread.scale:.3f}{bound}, found on {spread.n_participants} validation participants: their mean
negative log-likelihood was {spread.nll_before:.3f} before and {spread.nll_after:.3f} after."""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _line(text: str) -> str:
    """Return text as one line that starts no markup of its own."""
    return " ".join(text.split()).replace("<", "&lt;")


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")
