"""The activation that saliency should resemble: a participant's own class and difference maps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassMaps:
    """One participant's mean map M_c of each class.

    Parameters
    ----------
    values
        ``(classes, voxels)`` inside the mask; rows of missing classes are 0.
    present
        ``(classes,)``, whether the participant has the class.
    """

    values: NDArray[np.float64]
    present: NDArray[np.bool_]

    @property
    def n_classes(self) -> int:
        """How many classes the participant has."""
        return int(self.present.sum())

    def informative(self, label: int) -> NDArray[np.float64]:
        """Return M_y minus the mean over the participant's classes, ``(voxels,)``."""
        mean: NDArray[np.float64] = self.values[self.present].mean(axis=0)
        difference: NDArray[np.float64] = self.values[label] - mean
        return difference

    def difference(self, target: int, label: int) -> NDArray[np.float64]:
        """Return M_target minus M_label, ``(voxels,)``."""
        difference: NDArray[np.float64] = self.values[target] - self.values[label]
        return difference


def class_maps(
    values: NDArray[np.floating], labels: NDArray[np.int64], n_classes: int
) -> ClassMaps:
    """Average a participant's maps of each class.

    Parameters
    ----------
    values
        ``(maps, voxels)`` of one participant, inside the mask.
    labels
        ``(maps,)`` class indices.
    n_classes
        Number of classes of the data set.
    """
    present = np.isin(np.arange(n_classes), labels)
    means = np.zeros((n_classes, values.shape[1]))
    for k in np.flatnonzero(present):
        means[k] = values[labels == k].mean(axis=0, dtype=np.float64)
    return ClassMaps(values=means, present=present)
