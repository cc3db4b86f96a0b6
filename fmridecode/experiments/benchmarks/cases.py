"""What is compared: the paper's network in training and in explaining."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from math import prod

import torch
from torch import Tensor
from torch.nn import functional

from fmridecode.core.models import Decoder, build
from fmridecode.core.noise import radius
from fmridecode.core.saliency import METHODS
from fmridecode.core.settings import ModelConfig, SaliencyConfig, TrainingConfig
from fmridecode.core.training import SCHEMES, Trainer
from fmridecode.experiments.benchmarks import references
from fmridecode.experiments.benchmarks.comparison import Comparison
from fmridecode.experiments.benchmarks.machine import multiplications_a_second

TEMPERATURE = 1.5
SEED = 5
ARITHMETIC = "the products of the convolutions at the speed of a large matrix product"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large the maps and the minibatch are."""

    grid: tuple[int, ...]
    batch: int
    classes: int = 7
    samples: int = 20

    def __str__(self) -> str:
        return f"{'x'.join(map(str, self.grid))}, batch {self.batch}"


SIZES = {
    "cpu": Size(grid=(46, 55, 46), batch=8),
    "cuda": Size(grid=(91, 109, 91), batch=32),
}
"""Those of the targets that the README names."""


def ellipsoid(grid: tuple[int, ...]) -> Tensor:
    """Return a mask about as large as a brain is in its box."""
    axes = [torch.linspace(-1, 1, n) ** 2 for n in grid]
    distance = axes[0][:, None, None] + axes[1][:, None] + axes[2]
    return distance < 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Random maps with their classes, and a freshly built decoder."""

    size: Size
    x: Tensor
    labels: Tensor
    mask: Tensor

    @classmethod
    def drawn(
        cls, size: Size, device: torch.device, dtype: torch.dtype = torch.float32
    ) -> "Inputs":
        """Draw them from a fixed seed."""
        mask = ellipsoid(size.grid)
        generator = torch.Generator().manual_seed(SEED)
        x = torch.randn(size.batch, *size.grid, generator=generator) * mask
        return cls(
            size=size,
            x=x.to(device, dtype),
            labels=(torch.arange(size.batch) % size.classes).to(device),
            mask=mask,
        )

    def decoder(self, architecture: str = "cnn") -> Decoder:
        """Build the decoder; the same weights in every call."""
        config = ModelConfig(architecture=architecture)  # type: ignore[arg-type]
        generator = torch.Generator().manual_seed(SEED)
        model = build(config, self.mask, self.size.classes, generator=generator)
        return model.to(self.x.device, self.x.dtype)

    def table_2(self) -> references.Table2:
        """Build the same network of library layers, with the same weights."""
        model = references.Table2(self.mask, self.size.classes).to(self.x.device, self.x.dtype)
        with torch.no_grad():
            for theirs, own in zip(model.parameters(), self.decoder().parameters(), strict=True):
                theirs.copy_(own)
        return model


def cases(size: Size, device: torch.device) -> Iterator[Comparison]:
    """Yield every comparison of the core, each made when it is asked for."""
    inputs = Inputs.drawn(size, device)
    yield adversarial_step(inputs)
    yield adversarial_step(inputs, reuse=False)
    yield gradient_maps(inputs)
    yield smoothgrad_maps(inputs)


def adversarial_step(inputs: Inputs, *, reuse: bool = True) -> Comparison:
    """Compare Algorithm 1 on one minibatch, four hops.

    With gradient reuse, as trained by default, the direction is that before each update: it is
    checked against the literal program with the direction taken there, and timed against the
    literal program as printed.
    """
    config = TrainingConfig(l2=0.0, gradient_reuse=reuse)
    bound = radius(config.epsilon if config.epsilon != "auto" else 0.1, int(inputs.mask.sum()))
    targets = functional.one_hot(inputs.labels, inputs.size.classes).to(inputs.x.dtype)
    device = inputs.x.device

    def stepper() -> tuple[Decoder, partial[float]]:
        model = inputs.decoder()
        trainer = Trainer(model, config, 1, torch.Generator(device).manual_seed(SEED))
        return model, partial(SCHEMES["adversarial"], trainer, inputs.x, targets)

    def literal(*, before_update: bool) -> tuple[references.Table2, partial[None]]:
        model = inputs.table_2()
        return model, partial(
            references.algorithm_1,
            model,
            torch.optim.Adam(model.parameters(), lr=config.learning_rate),
            inputs.x,
            inputs.labels,
            hops=config.steps,
            bound=bound,
            generator=torch.Generator(device).manual_seed(SEED),
            before_update=before_update,
        )

    def error() -> float:
        (own, step), (theirs, line_by_line) = stepper(), literal(before_update=reuse)
        start = torch.cat([each.detach().flatten() for each in own.parameters()])
        step()
        line_by_line()
        ours, other = (
            torch.cat([each.detach().flatten() for each in model.parameters()]) - start
            for model in (own, theirs)
        )
        return float((ours - other).norm() / other.norm())

    how = "" if reuse else ", --no-gradient-reuse"
    return Comparison(
        name=f"adversarial step{how}, cnn, {inputs.size}",
        ours=stepper()[1],
        reference=literal(before_update=False)[1],
        error=error,
        tolerance=0.02 if inputs.x.dtype == torch.float32 else 1e-6,
        difference="change of the weights after four updates, relative",
        is_step=True,
        floor=lambda: config.steps * 3 * products(inputs) / multiplications_a_second(device),
        floor_is=f"{config.steps} hops of a pass forward and two back: {ARITHMETIC}",
    )


def gradient_maps(inputs: Inputs) -> Comparison:
    """Compare the signed gradient of the probability of every class."""
    return _saliency(inputs, "gradient", 1)


def smoothgrad_maps(inputs: Inputs) -> Comparison:
    """Compare the mean of such gradients over noisy copies."""
    return _saliency(inputs, "smoothgrad", inputs.size.samples)


def _saliency(inputs: Inputs, method: str, copies: int) -> Comparison:
    size, device, sigma = inputs.size, inputs.x.device, 2.0
    inputs = replace(inputs, mask=torch.ones_like(inputs.mask))  # captum's noise is everywhere
    own, theirs = inputs.decoder().eval(), inputs.table_2().eval()
    config = SaliencyConfig(smoothgrad_sigma=sigma, smoothgrad_samples=copies)

    def ours() -> Tensor:
        generator = torch.Generator(device).manual_seed(SEED)
        found = METHODS[method](own, inputs.x, TEMPERATURE, config, generator=generator)
        return found.maps * torch.exp(found.log_factor)[..., None, None, None]

    def reference() -> Tensor:
        if method == "gradient":
            return references.gradient_maps(theirs, inputs.x, size.classes, TEMPERATURE)
        return references.smoothgrad_maps(
            theirs,
            inputs.x,
            size.classes,
            TEMPERATURE,
            sigma=sigma,
            samples=copies,
            seed=SEED,
        )

    def error() -> float:
        expected = reference()
        return float((ours() - expected).abs().max() / expected.abs().max())

    words = {"gradient": "gradient maps", "smoothgrad": f"SmoothGrad, N = {copies}"}[method]
    n_passes = copies * size.classes  # one forward, one backward a class but the first
    return Comparison(
        name=f"{words}, {size.classes} classes, cnn, {size}",
        ours=ours,
        reference=reference,
        error=error,
        tolerance=1e-3 if inputs.x.dtype == torch.float32 else 1e-9,
        difference="the largest difference of two maps over the largest value",
        floor=lambda: n_passes * products(inputs) / multiplications_a_second(device),
        floor_is=f"{n_passes} passes: {ARITHMETIC}",
    )


def paper_step(
    size: Size, device: torch.device, spare: Callable[[Decoder], None] = lambda _: None
) -> Comparison:
    """Make an adversarial step of the paper's own network, whose pooling has stride 1.

    ``spare`` may let the decoder take less memory.
    """
    inputs = Inputs.drawn(size, device)
    model = inputs.decoder("cnn-stride1")
    spare(model)
    how = ", features made anew" if model.recomputes else ""
    n_features = model.logit_layers()[0].in_features
    targets = functional.one_hot(inputs.labels, size.classes).float()
    trainer = Trainer(model, TrainingConfig(), 1, torch.Generator(device).manual_seed(SEED))
    return Comparison(
        name=f"adversarial step, cnn-stride1 ({n_features} features), {size}{how}",
        ours=partial(SCHEMES["adversarial"], trainer, inputs.x, targets),
    )


def products(inputs: Inputs) -> float:
    """Return the products that one pass of a minibatch through Table 2 takes."""
    grid, total = inputs.size.grid, 0
    for before, after in pairwise(references.CHANNELS):
        total += 27 * before * after * prod(grid)
        grid = tuple(n // 2 for n in grid) if min(grid) >= 4 else grid
    return float(total * inputs.size.batch)
