"""What can be set about the decoder, its training, the splits and the saliency maps.

Kept apart from the components themselves so that ``--help`` need not import torch.
"""

from fmridecode.core.settings.checks import AUTO, Auto, chosen
from fmridecode.core.settings.model import Architecture, ModelConfig
from fmridecode.core.settings.saliency import METHODS, FaithfulnessReach, Method, SaliencyConfig
from fmridecode.core.settings.split import SplitConfig
from fmridecode.core.settings.training import Attack, Schedule, Scheme, TrainingConfig

__all__ = [
    "AUTO",
    "METHODS",
    "Architecture",
    "Attack",
    "Auto",
    "FaithfulnessReach",
    "Method",
    "ModelConfig",
    "SaliencyConfig",
    "Schedule",
    "Scheme",
    "SplitConfig",
    "TrainingConfig",
    "chosen",
]
