"""The decoders: maps in, logits out, for grids of two or three dimensions."""

from fmridecode.core.models.build import ARCHITECTURES, build
from fmridecode.core.models.convolutional import (
    DIRECTION,
    GAIN,
    ConvolutionalDecoder,
)
from fmridecode.core.models.correlation import CorrelationDecoder
from fmridecode.core.models.decoder import Decoder, Entered
from fmridecode.core.models.dense import DenseDecoder
from fmridecode.core.models.ensemble import Ensemble
from fmridecode.core.models.linear import LinearDecoder

__all__ = [
    "ARCHITECTURES",
    "DIRECTION",
    "GAIN",
    "ConvolutionalDecoder",
    "CorrelationDecoder",
    "Decoder",
    "DenseDecoder",
    "Ensemble",
    "Entered",
    "LinearDecoder",
    "build",
]
