"""How far the members of an ensemble are from one another."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax, xlogy


def disagreement(logits: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    r"""Return each example's Jensen-Shannon divergence of the members' probabilities, in nats.

    H(mean of p) - mean of H(p), with H the entropy: 0 where all members say the same, at most the
    logarithm of the number of members or classes, whichever is smaller. It is the part of the
    uncertainty that comes from the seeds of the training, not from the map (N. Houlsby et al.
    2011, arXiv:1112.5745).

    Parameters
    ----------
    logits
        ``(members, examples, classes)``.
    temperature
        What divides the logits.
    """
    p = softmax(np.asarray(logits, dtype=np.float64) / temperature, axis=2)
    divergence = _entropy(p.mean(axis=0)) - _entropy(p).mean(axis=0)
    return np.asarray(np.maximum(divergence, 0.0))


def agreement(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return the share of members whose most probable class is that of their mean logits."""
    chosen = logits.mean(axis=0).argmax(axis=1)
    return np.asarray((logits.argmax(axis=2) == chosen).mean(axis=0))


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(-xlogy(p, p).sum(axis=-1))
