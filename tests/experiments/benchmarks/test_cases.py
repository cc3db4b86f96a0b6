"""The programs that are timed give the same output, in float64, where rounding cannot hide."""

import sys
from dataclasses import replace

import pytest
import torch

from fmridecode.core.settings import TrainingConfig
from fmridecode.errors import BadDataError
from fmridecode.experiments.benchmarks import comparison as comparisons
from fmridecode.experiments.benchmarks import references
from fmridecode.experiments.benchmarks.cases import (
    Inputs,
    Size,
    adversarial_step,
    gradient_maps,
    paper_step,
    smoothgrad_maps,
)
from fmridecode.experiments.benchmarks.comparison import Comparison, measure

SIZE = Size(grid=(12, 11, 10), batch=3, classes=3, samples=2)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    return Inputs.drawn(SIZE, CPU, torch.float64)


@pytest.mark.parametrize("reuse", [True, False])
def test_a_step_is_that_of_algorithm_1_written_line_by_line(inputs: Inputs, reuse: bool) -> None:
    assert adversarial_step(inputs, reuse=reuse).error() < 1e-6


def test_a_step_in_another_order_would_be_noticed(inputs: Inputs) -> None:
    """Where the direction is taken changes the weights by more than the tolerance."""
    found = []
    for before_update in (True, False):
        model = inputs.table_2()
        references.algorithm_1(
            model,
            torch.optim.Adam(model.parameters(), lr=TrainingConfig().learning_rate),
            inputs.x,
            inputs.labels,
            hops=4,
            bound=5.0,
            generator=torch.Generator().manual_seed(0),
            before_update=before_update,
        )
        found.append(torch.cat([each.detach().flatten() for each in model.parameters()]))
    start = torch.cat([each.detach().flatten() for each in inputs.table_2().parameters()])
    assert (found[0] - found[1]).norm() / (found[0] - start).norm() > 0.02


def test_the_gradient_maps_are_captums(inputs: Inputs) -> None:
    compared = gradient_maps(inputs)
    assert compared.error() < 1e-9
    assert compared.tolerance == 1e-9


@pytest.mark.filterwarnings("ignore:.*:UserWarning:captum")
def test_the_smoothgrad_maps_are_captums() -> None:
    """In float32, the type of captum's noise whatever the input's."""
    compared = smoothgrad_maps(Inputs.drawn(SIZE, CPU))
    assert compared.error() < 1e-4 < compared.tolerance


@pytest.mark.filterwarnings("ignore:.*:UserWarning:captum")
def test_what_stands_in_for_captum_is_captum(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs = Inputs.drawn(SIZE, CPU)
    model = inputs.table_2()

    def maps() -> torch.Tensor:
        plain = references.gradient_maps(model, inputs.x, 3, 1.5)
        smooth = references.smoothgrad_maps(model, inputs.x, 3, 1.5, sigma=2.0, samples=2, seed=1)
        return torch.stack([plain, smooth])

    by_captum = maps()
    monkeypatch.setitem(sys.modules, "captum.attr", None)
    stand_in = maps()
    assert float((stand_in - by_captum).abs().max() / by_captum.abs().max()) < 1e-5


def test_programs_that_disagree_are_not_timed() -> None:
    ran = []
    wrong = Comparison(name="sums", ours=lambda: ran.append(1), error=lambda: 0.2, tolerance=0.1)
    with pytest.raises(BadDataError, match=r"sums: the outputs differ \( 0\.2; at most 0\.1"):
        measure(wrong, device=CPU, repeats=1)
    unknown = Comparison(
        name="sums", ours=lambda: ran.append(1), error=lambda: float("nan"), tolerance=0.1
    )
    with pytest.raises(BadDataError):
        measure(unknown, device=CPU, repeats=1)
    assert not ran


def test_the_programs_take_turns_and_the_medians_are_theirs(monkeypatch) -> None:
    order = []
    times = {"ours": iter([1.0, 9.0, 2.0]), "theirs": iter([4.0, 5.0, 90.0])}

    def timed(program, device):
        return next(times[program()])

    monkeypatch.setattr(comparisons, "elapsed", timed)
    found = measure(
        Comparison(
            name="both",
            ours=lambda: order.append("ours") or "ours",
            reference=lambda: order.append("theirs") or "theirs",
            floor=lambda: 0.5,
        ),
        device=CPU,
        repeats=3,
    )
    assert order[2:] == ["ours", "theirs", "theirs", "ours", "ours", "theirs"]
    assert (found.ours_s, found.reference_s, found.ratio, found.floor_s) == (2.0, 5.0, 2.5, 0.5)


def test_the_peak_of_memory_is_that_of_each_program() -> None:
    large = 2**26
    found = measure(
        Comparison(
            name="memory",
            ours=lambda: torch.ones(large // 4, dtype=torch.uint8).max(),
            reference=lambda: torch.ones(large, dtype=torch.uint8).max(),
        ),
        device=CPU,
        repeats=1,
    )
    if found.peak_mb is None:
        pytest.skip("this system does not let a process reset its peak of memory")
    assert found.peak_mb < 48 < found.reference_peak_mb


def test_a_step_of_the_papers_own_network_has_a_feature_a_voxel_and_filter() -> None:
    step = paper_step(Size(grid=(8, 7, 6), batch=2, classes=3), CPU)
    assert "(21504 features)" in step.name
    assert step.reference is None
    step.ours()


def test_long_programs_are_run_less_often_but_once_at_least(monkeypatch) -> None:
    monkeypatch.setattr(comparisons, "elapsed", lambda program, device: 50.0)
    long = Comparison(name="long", ours=lambda: None, reference=lambda: None)
    assert measure(long, device=CPU, repeats=5).runs == 1
    assert measure(Comparison(name="alone", ours=lambda: None), device=CPU, repeats=5).runs == 2


def test_the_memory_of_smoothgrad_does_not_grow_with_its_copies() -> None:
    size = Size(grid=(40, 40, 40), batch=2, classes=3)
    peaks = []
    for samples in (2, 8):
        inputs = Inputs.drawn(replace(size, samples=samples), CPU)
        program = smoothgrad_maps(inputs).ours
        program()
        peaks.append(measure(Comparison(name="copies", ours=program), device=CPU, repeats=1))
    if peaks[0].peak_mb is None:
        pytest.skip("this system does not let a process reset its peak of memory")
    assert peaks[1].peak_mb < 1.3 * peaks[0].peak_mb
