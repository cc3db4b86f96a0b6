"""Explain a participant's maps again: by other decoders, of inputs changed a little."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from fmridecode.core.saliency import METHODS, Saliency
from fmridecode.core.settings import Reach, SaliencyConfig
from fmridecode.core.trained import TrainedDecoder
from fmridecode.pipeline.participant.decode import batches_of
from fmridecode.pipeline.participant.subject import Subject
from fmridecode.shapes import Labels, Maps

QUICK_SAMPLES = 4
"""Noisy copies of SmoothGrad, at most, where a measure is quick."""

AT_ONCE = 8
"""Maps explained together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """Some maps of a participant that are explained several times, by the same noise each time.

    Parameters
    ----------
    subject
        Whose maps.
    indices
        Which of them, all of known class.
    saliency
        The settings of the methods.
    """

    subject: Subject
    indices: NDArray[np.int64]
    saliency: SaliencyConfig

    def by(self, decoder: TrainedDecoder) -> dict[str, NDArray[np.float32]]:
        """Return ``(maps, *grid)`` of the true class by each method, up to positive factors."""
        found: dict[str, list[NDArray[np.float32]]] = {
            each: [] for each in self.saliency.map_methods
        }
        for x, labels in self.batches():
            for method, parts in found.items():
                # the gradient is there already
                plain = found["gradient"][-1] if found.get("gradient") else None
                if method == "gradient-x-input" and plain is not None:
                    parts.append(plain * x.cpu().numpy())
                    continue
                maps = self.explain(decoder, method, x, labels).maps[:, 0]
                parts.append(maps.cpu().numpy())
        return {method: np.concatenate(parts) for method, parts in found.items()}

    def explain(self, decoder: TrainedDecoder, method: str, x: Maps, labels: Labels) -> Saliency:
        """Return the saliency of one class an example; the noise depends on the maps' seed."""
        seed = int(self.subject.seed(int(self.indices[0])).generate_state(2)[1])
        return METHODS[method](
            decoder.model,
            x,
            decoder.temperature,
            self.saliency,
            generator=torch.Generator(x.device).manual_seed(seed),
            only=labels,
        )

    def rows(self) -> Iterator[tuple[int, dict[str, object]]]:
        """Yield the position of each map, and what names it in a table."""
        for position, index in enumerate(self.indices):
            yield position, self.subject.keys(self.subject.maps.examples[index])

    def batches(self) -> Iterator[tuple[Maps, Labels]]:
        """Yield the maps and their classes, a few at a time."""
        found = batches_of(self.subject.maps, self.indices, self.subject.device)
        yield from found.in_order(AT_ONCE)


def again(subject: Subject, reach: Reach) -> Again:
    """Return all maps with the run's own settings; quick: one, with few noisy copies."""
    saliency = subject.turn.config.saliency
    if reach == "full":
        return Again(subject=subject, indices=subject.known, saliency=saliency)
    few = min(saliency.smoothgrad_samples, QUICK_SAMPLES)
    return Again(
        subject=subject,
        indices=subject.known[[position for position, _ in subject.examples(reach)]],
        saliency=replace(saliency, smoothgrad_samples=few),
    )
