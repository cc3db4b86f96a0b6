"""What the outputs of a decoder of a number stand for: units, and how sure they may be."""

import logging

import numpy as np
import torch

from fmridecode.core.batches import Batches
from fmridecode.core.gaussian import moments
from fmridecode.core.maps import MapSet
from fmridecode.core.models import Decoder
from fmridecode.core.splits import Split
from fmridecode.core.target import Number, fit_spread, pooled, standard_of
from fmridecode.core.trained import predict_logits

log = logging.getLogger(__name__)


def number_of(model: Decoder, maps: MapSet, split: Split, validation: Batches) -> Number:
    """Return units and calibration of a fold's decoder.

    Parameters
    ----------
    model
        The network.
    maps, split
        All maps, and who trained and validated.
    validation
        The validation maps, with standardised numbers.
    """
    if maps.target is None:
        raise ValueError("the maps have no number")
    mean, sd = standard_of(maps.number_of, split.train)
    with torch.no_grad():
        outputs = predict_logits(model, validation).double()
        predicted, variance = (each.numpy() for each in moments(outputs))
    participants = [maps.examples[i].participant for i in validation.indices]
    who, predicted, variance = pooled(participants, predicted, variance)
    truth = np.array([(maps.number_of[each] - mean) / sd for each in who])
    spread = fit_spread(truth, predicted, variance)
    if spread.at_bound:
        log.warning(
            "The factor on the predicted SDs ran to the bound %.3g of its range, so they are not "
            "calibrated.",
            spread.scale,
        )
    return Number(target=maps.target, mean=mean, sd=sd, spread=spread)
