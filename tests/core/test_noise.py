import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from fmridecode.core.noise import gaussian, normalise, norms, project, radius, uniform_in_ball


def draw(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_the_radius_of_the_paper_is_95():
    assert radius(0.1, 91 * 109 * 91) == pytest.approx(95.007, abs=1e-3)


@given(bound=st.floats(0.01, 50), seed=st.integers(0, 100))
def test_projecting_twice_is_projecting_once(bound, seed):
    once = project(draw(4, 3, 5, seed=seed), bound)
    assert torch.all(norms(once) <= bound * (1 + 1e-6))
    torch.testing.assert_close(project(once, bound), once, rtol=1e-6, atol=0)


def test_noise_inside_the_ball_is_left_alone_and_outside_it_keeps_its_direction():
    x = torch.stack([torch.full((4,), 0.1), torch.full((4,), 3.0)])
    found = project(x, 1.0)
    assert torch.equal(found[0], x[0])
    torch.testing.assert_close(found[1], torch.full((4,), 0.5))


def test_unit_directions_keep_zero_zero():
    x = torch.stack([torch.zeros(2, 3), torch.full((2, 3), 1e-15), draw(2, 3)])
    torch.testing.assert_close(norms(normalise(x)), torch.tensor([0.0, 1.0, 1.0]))


def test_gaussian_noise_is_standard_and_stays_in_the_mask():
    mask = torch.zeros(20, 20, dtype=torch.bool)
    mask[3:17, 4:] = True
    noise = gaussian(torch.empty(500, 20, 20), mask, generator=torch.Generator().manual_seed(1))
    assert torch.all(noise[:, ~mask] == 0)
    assert kstest(noise[:, mask].flatten().numpy(), "norm").pvalue > 1e-3


@pytest.mark.parametrize("n_voxels", [2, 50])
def test_uniform_noise_fills_the_ball_evenly(n_voxels):
    mask = torch.zeros(10, 10, dtype=torch.bool)
    mask.view(-1)[:n_voxels] = True
    generator = torch.Generator().manual_seed(2)
    noise = uniform_in_ball(torch.empty(4000, 10, 10), mask, 3.0, generator=generator)
    assert torch.all(noise[:, ~mask] == 0)
    share_of_volume = (norms(noise).double() / 3.0) ** n_voxels
    assert kstest(share_of_volume.numpy(), "uniform").pvalue > 1e-3
    standard_error = 3.0 / math.sqrt(4000 * n_voxels)
    assert torch.all(noise[:, mask].mean(dim=0).abs() < 5 * standard_error)
