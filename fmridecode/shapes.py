"""Names for the shapes of tensors; the test suite checks them at run time.

``*grid`` stands for any number of spatial dimensions: two in the synthetic experiment, three
in brains.
"""

from typing import TYPE_CHECKING

from torch import Tensor

try:
    from jaxtyping import Bool, Float, Int
except ImportError:  # names of shapes matter to the tests only; the benchmarks run without them
    if not TYPE_CHECKING:

        class _Named:
            def __class_getitem__(cls, shape: tuple[type, str]) -> type:
                return shape[0]

        Bool = Float = Int = _Named

Maps = Float[Tensor, "batch *grid"]
"""One map per example."""

Inside = Float[Tensor, "batch voxels"]
"""The voxels of the mask of one map per example."""

Labels = Int[Tensor, " batch"]
"""The index of each example's class."""

SoftLabels = Float[Tensor, "batch classes"]
"""Class weights that sum to one, as mixing two examples makes them."""

Numbers = Float[Tensor, " batch"]
"""The number to be decoded of each example, standardised."""

Targets = Float[Tensor, "batch targets"]
"""What the outputs are held against: soft labels, or one number."""

Outputs = Float[Tensor, "batch outputs"]
"""What a decoder says: logits, or the mean and the variance of a number."""

Logits = Float[Tensor, "batch classes"]
"""Unnormalised log probabilities."""

MembersLogits = Float[Tensor, "members batch classes"]
"""The logits of every member of an ensemble."""

Jacobian = Float[Tensor, "batch classes voxels"]
"""The gradient of every logit (or a map for every class), at the voxels of the mask."""

Mask = Bool[Tensor, "*grid"]
"""True in the brain."""

PerExample = Float[Tensor, " batch"]
"""One number per example."""
