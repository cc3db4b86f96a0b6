"""Names for the shapes of tensors; the test suite checks them at run time.

``*grid`` stands for any number of spatial dimensions: two in the synthetic experiment, three
in brains.
"""

from jaxtyping import Bool, Float, Int
from torch import Tensor

Maps = Float[Tensor, "batch *grid"]
"""One map per example."""

Labels = Int[Tensor, " batch"]
"""The index of each example's class."""

SoftLabels = Float[Tensor, "batch classes"]
"""Class weights that sum to one, as mixing two examples makes them."""

Logits = Float[Tensor, "batch classes"]
"""Unnormalised log probabilities."""

Jacobian = Float[Tensor, "batch classes *grid"]
"""The gradient of every logit (or a map for every class) with respect to the input."""

Mask = Bool[Tensor, "*grid"]
"""True in the brain."""

PerExample = Float[Tensor, " batch"]
"""One number per example."""
