"""What a user would write without this package; no line of it is shared with ours."""

from collections.abc import Callable
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

CHANNELS = (1, 32, 32, 64, 64, 64)


class Table2(nn.Module):
    """The network of the paper's Table 2, of library layers; pooling with stride 2.

    Where less than two voxels would be left, the pooling has stride 1.
    """

    mask: Tensor

    def __init__(self, mask: Tensor, n_classes: int, channels: tuple[int, ...] = CHANNELS) -> None:
        super().__init__()
        self.register_buffer("mask", mask)
        layers: list[nn.Module] = []
        grid = tuple(mask.shape)
        for before, after in pairwise(channels):
            layers += [weight_norm(nn.Conv3d(before, after, 3, padding=1)), nn.ReLU()]
            if min(grid) >= 4:
                layers.append(nn.AvgPool3d(2))
                grid = tuple(size // 2 for size in grid)
            else:
                layers += [nn.ReplicationPad3d((0, 1) * 3), nn.AvgPool3d(2, stride=1)]
        self.network = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(channels[-1] * prod(grid), n_classes)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(batch, *grid)`` to logits."""
        logits: Tensor = self.network((x * self.mask)[:, None])
        return logits


def algorithm_1(
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    x: Tensor,
    labels: Tensor,
    *,
    hops: int,
    bound: float,
    generator: torch.Generator,
    before_update: bool = False,
) -> None:
    """Train on one minibatch by Algorithm 1 of the paper, line by line: two passes a hop.

    ``before_update`` takes the input's gradient before the update instead of after it.
    """
    shape = (-1, *[1] * (x.ndim - 1))
    d = torch.zeros_like(x)

    def gradient() -> Tensor:
        noisy = (x + d).requires_grad_()
        p = torch.softmax(model(noisy), dim=1)[torch.arange(len(x)), labels]
        return torch.autograd.grad(p.sum(), noisy)[0]

    for _ in range(hops):
        g = gradient() if before_update else None
        optimiser.zero_grad()
        functional.cross_entropy(model(x + d), labels).backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        g = gradient() if g is None else g
        nu = bound * torch.rand(len(x), generator=generator, device=x.device, dtype=x.dtype)
        d = d - nu.view(shape) * g / g.flatten(1).norm(dim=1).view(shape)
        d = d * (bound / d.flatten(1).norm(dim=1)).clamp(max=1).view(shape)


def probabilities(model: nn.Module, temperature: float) -> Callable[[Tensor], Tensor]:
    """Return the function whose gradient is explained."""
    return lambda x: torch.softmax(model(x) / temperature, dim=1)


def gradient_maps(model: nn.Module, x: Tensor, n_classes: int, temperature: float) -> Tensor:
    """Return captum's signed ``Saliency``, class by class; ``(batch, classes, *grid)``."""
    of_class = _saliency(probabilities(model, temperature))
    x = x.clone().requires_grad_()
    return torch.stack([of_class(x, k) for k in range(n_classes)], dim=1)


def smoothgrad_maps(
    model: nn.Module,
    x: Tensor,
    n_classes: int,
    temperature: float,
    *,
    sigma: float,
    samples: int,
    seed: int,
) -> Tensor:
    """Return captum's ``NoiseTunnel`` around ``Saliency``, class by class, one copy at a time."""
    of_class = _noise_tunnel(probabilities(model, temperature), sigma, samples)
    x, maps = x.clone().requires_grad_(), []
    for k in range(n_classes):
        torch.manual_seed(seed)
        maps.append(of_class(x, k))
    return torch.stack(maps, dim=1)


def captum_version() -> str:
    """Say which captum is used, or that its few lines stand in for it."""
    try:
        import captum
    except ImportError:
        return "captum is not installed: the few lines of its Saliency and NoiseTunnel stand in"
    return f"captum {captum.__version__}"


def _saliency(forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor, int], Tensor]:
    try:
        from captum.attr import Saliency
    except ImportError:

        def plain(x: Tensor, k: int) -> Tensor:
            return torch.autograd.grad(forward(x)[:, k].sum(), x)[0]

        return plain
    return lambda x, k: Saliency(forward).attribute(x, target=k, abs=False)


def _noise_tunnel(
    forward: Callable[[Tensor], Tensor], sigma: float, samples: int
) -> Callable[[Tensor, int], Tensor]:
    try:
        from captum.attr import NoiseTunnel, Saliency
    except ImportError:
        of_class = _saliency(forward)

        def plain(x: Tensor, k: int) -> Tensor:
            total = torch.zeros_like(x)
            for _ in range(samples):
                total += of_class((x + sigma * torch.randn_like(x)).detach().requires_grad_(), k)
            return total / samples

        return plain
    tunnel = NoiseTunnel(Saliency(forward))
    return lambda x, k: tunnel.attribute(
        x,
        target=k,
        abs=False,
        nt_type="smoothgrad",
        stdevs=sigma,
        nt_samples=samples,
        nt_samples_batch_size=1,
    )
