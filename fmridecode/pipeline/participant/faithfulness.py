"""How faithful a participant's saliency maps are to the decoder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fmridecode.core.faithfulness import area, curves, phase_randomised, ranks, smoothed
from fmridecode.core.settings import Reach
from fmridecode.core.trained import TrainedDecoder
from fmridecode.pipeline.participant.decode import batches_of
from fmridecode.pipeline.participant.subject import Subject

STEPS = 10
SMOOTHING = 8.0
"""SD of the smoothing of the replacement, in mm."""
ORDERS = ("absolute", "signed")

FAITHFULNESS_DICTIONARY = {
    "participant_id": "Participant.",
    "session_id": "Session, n/a where the data set has none.",
    "label": "True class of the map; its saliency is what is tested.",
    "method": "Saliency method.",
    "order": "absolute: voxels from the largest to the smallest magnitude of saliency. signed: "
    "from the most positive to the most negative.",
    "replacement": "zero: voxels become 0, their mean over the map. smoothed: they become the map "
    f"smoothed with an SD of {SMOOTHING:g} mm.",
    "curve": "deletion: voxels are replaced one tenth after the other. insertion: all are "
    "replaced, and put back.",
    "area": "Mean calibrated probability of the true class along the curve.",
    "area_random": "The same with the voxels in random order.",
    "area_smooth": "The same in the order of a random map with the spectrum of the saliency map.",
    "gain_random": "How much more faithful than the random order: the difference of the areas, "
    "positive where the probability falls, or returns, sooner.",
    "gain_smooth": "The same against the random map with the spectrum of the saliency map.",
}
_KEYS = ("method", "order", "replacement", "curve")
CURVES_DICTIONARY = {
    "participant_id": "Participant.",
    **{key: FAITHFULNESS_DICTIONARY[key] for key in _KEYS},
    "share": "Share of the voxels that are replaced (deletion) or put back (insertion).",
    "probability": "Calibrated probability of the true class, mean over the participant's maps.",
    "probability_random": "The same with the voxels in random order.",
    "probability_smooth": "The same in the order of a random map with the spectrum of the "
    "saliency map.",
    "n_maps": "Maps averaged.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One curve of one map and the curves of its references.

    Parameters
    ----------
    order, replacement, curve
        As in `FAITHFULNESS_DICTIONARY`.
    own, random, smooth
        ``(steps + 1,)`` calibrated probability of the true class: voxels in the order of the
        saliency, in random order, in the order of a random map with the same spectrum.
    """

    order: str
    replacement: str
    curve: str
    own: NDArray[np.float64]
    random: NDArray[np.float64]
    smooth: NDArray[np.float64]

    def row(self) -> dict[str, object]:
        """Return the areas and what the map gains, as in `FAITHFULNESS_DICTIONARY`."""
        sign = 1 if self.curve == "insertion" else -1
        own, random, smooth = (float(area(each)) for each in (self.own, self.random, self.smooth))
        return {
            "order": self.order,
            "replacement": self.replacement,
            "curve": self.curve,
            "area": own,
            "area_random": random,
            "area_smooth": smooth,
            "gain_random": sign * (own - random),
            "gain_smooth": sign * (own - smooth),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class MapCurves:
    """The curves of one map's saliency by one method."""

    participant: str
    session: str
    label: str
    method: str
    curves: tuple[Curve, ...]


def faithfulness_tables(subject: Subject) -> dict[str, pd.DataFrame]:
    """Return the scores and the mean curves of every method's maps of the true class."""
    if not subject.saliency:
        return {}
    reach = subject.turn.config.evaluation.faithfulness
    x, _ = batches_of(subject.maps, subject.known, subject.device).take(slice(None))
    tested = [
        MapCurves(
            participant=example.participant,
            session=example.session,
            label=subject.maps.class_names[example.label],
            method=method,
            curves=tuple(
                curves_of(
                    subject.decoder,
                    x[position],
                    subject.maps.on_grid(saliency[position]),
                    example.label,
                    reach=reach,
                    generator=np.random.default_rng(subject.seed(int(subject.known[position]))),
                )
            ),
        )
        for method, saliency in subject.saliency.items()
        for position, example in subject.examples(reach)
    ]
    return {
        "desc-faithfulness_scores": faithfulness_scores(tested),
        "desc-faithfulness_curves": faithfulness_curves(tested),
    }


def faithfulness_scores(tested: Sequence[MapCurves]) -> pd.DataFrame:
    """Return one row for every map and curve, as `FAITHFULNESS_DICTIONARY` describes them."""
    return pd.DataFrame(
        [
            {
                "participant_id": f"sub-{each.participant}",
                "session_id": f"ses-{each.session}" if each.session else None,
                "label": each.label,
                "method": each.method,
                **curve.row(),
            }
            for each in tested
            for curve in each.curves
        ]
    )


def faithfulness_curves(tested: Sequence[MapCurves]) -> pd.DataFrame:
    """Return the mean curves over a participant's maps, as `CURVES_DICTIONARY` describes them."""
    rows = [
        {
            "participant_id": f"sub-{each.participant}",
            "method": each.method,
            "order": curve.order,
            "replacement": curve.replacement,
            "curve": curve.curve,
            "share": step / STEPS,
            "probability": curve.own[step],
            "probability_random": curve.random[step],
            "probability_smooth": curve.smooth[step],
        }
        for each in tested
        for curve in each.curves
        for step in range(STEPS + 1)
    ]
    groups = pd.DataFrame(rows).groupby(["participant_id", *_KEYS, "share"], sort=False)
    return groups.mean().assign(n_maps=groups.size()).reset_index()


def curves_of(
    decoder: TrainedDecoder,
    x: torch.Tensor,
    saliency: NDArray[np.floating],
    label: int,
    *,
    reach: Reach,
    generator: np.random.Generator,
) -> Iterator[Curve]:
    """Yield the curves of one map's saliency: one per order, replacement and curve.

    The first draw of the generator is the random order, so that generators of the same seed give
    all methods the same one.

    Parameters
    ----------
    x, saliency
        ``grid``.
    label
        The class explained.
    """
    mask = decoder.model.mask.cpu().numpy()
    saliency = np.asarray(saliency, dtype=np.float64)
    random = ranks(generator.random(int(mask.sum())))
    smooth = phase_randomised(np.where(mask, saliency, 0.0), generator=generator)[mask]
    inside = saliency[mask]
    places = np.stack(
        [ranks(np.abs(inside)), ranks(inside), random, ranks(np.abs(smooth)), ranks(smooth)]
    )
    replacements = {"zero": torch.zeros_like(x)}
    if reach == "full":
        sigma = SMOOTHING / float(abs(np.linalg.det(decoder.grid.matrix[:3, :3])) ** (1 / 3))
        values = smoothed(x.cpu().numpy(), mask, sigma=sigma)
        replacements["smoothed"] = torch.from_numpy(values).to(x)
    for replacement, by in replacements.items():
        for curve in ("deletion", "insertion"):
            logits = curves(
                decoder.model, x, by, places, steps=STEPS, insertion=curve == "insertion"
            )
            p = torch.softmax(logits.double() / decoder.temperature, dim=2)[..., label]
            found = p.cpu().numpy()
            for k, order in enumerate(ORDERS):
                yield Curve(
                    order=order,
                    replacement=replacement,
                    curve=curve,
                    own=found[k],
                    random=found[2],
                    smooth=found[3 + k],
                )
