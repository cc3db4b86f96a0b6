"""What can be set about the decoder, its training, the splits, the maps and their evaluation.

Kept apart from the components themselves so that ``--help`` need not import torch.
"""

from fmridecode.core.settings.checks import AUTO, Auto, chosen
from fmridecode.core.settings.evaluation import EvaluationConfig, Reach
from fmridecode.core.settings.model import Architecture, ModelConfig
from fmridecode.core.settings.saliency import HESSIAN, METHODS, Method, SaliencyConfig
from fmridecode.core.settings.split import SplitConfig
from fmridecode.core.settings.training import Attack, Schedule, Scheme, TrainingConfig

__all__ = [
    "AUTO",
    "HESSIAN",
    "METHODS",
    "Architecture",
    "Attack",
    "Auto",
    "EvaluationConfig",
    "Method",
    "ModelConfig",
    "Reach",
    "SaliencyConfig",
    "Schedule",
    "Scheme",
    "SplitConfig",
    "TrainingConfig",
    "chosen",
]
