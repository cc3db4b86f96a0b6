import pytest
import torch
from torch.nn import functional

from fmridecode.core.pooling import bearable_halvings, halve, halve_by_slices, smooth

POOL = {2: functional.avg_pool2d, 3: functional.avg_pool3d}
GRIDS = [(8, 6), (7, 5), (2, 3), (6, 7, 8), (5, 3, 9)]


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("pool", [halve, halve_by_slices])
def test_halving_is_average_pooling_with_stride_2(pool, grid):
    x = torch.randn(2, 3, *grid)
    torch.testing.assert_close(pool(x, len(grid)), POOL[len(grid)](x, 2, stride=2))


@pytest.mark.parametrize("grid", GRIDS)
def test_smoothing_is_average_pooling_with_stride_1_padded_at_the_far_edge_only(grid):
    x = torch.randn(2, 3, *grid)
    padded = POOL[len(grid)](x, 2, stride=1, padding=1, count_include_pad=False)
    far = padded[(..., *[slice(1, None)] * len(grid))]
    assert far.shape == x.shape
    torch.testing.assert_close(smooth(x, len(grid)), far)


def test_the_paths_of_cpu_and_cuda_have_the_same_gradient():
    x = torch.randn(2, 3, 7, 6, 5, dtype=torch.float64, requires_grad=True)
    upstream = torch.randn(2, 3, 3, 3, 2, dtype=torch.float64)
    (library,) = torch.autograd.grad(halve(x, 3), x, upstream)
    (slices,) = torch.autograd.grad(halve_by_slices(x, 3), x, upstream)
    torch.testing.assert_close(library, slices)


@pytest.mark.gpu
@pytest.mark.parametrize("pool", [halve, smooth])
def test_pooling_repeats_bit_for_bit_on_cuda(pool):
    x = torch.randn(4, 8, 45, 54, 45, device="cuda", requires_grad=True)
    upstream = torch.randn_like(pool(x, 3))
    gradients = [torch.autograd.grad(pool(x, 3), x, upstream)[0] for _ in range(3)]
    assert all(torch.equal(gradients[0], each) for each in gradients)


@pytest.mark.parametrize(
    ("grid", "wanted", "halvings"),
    [((91, 109, 91), 5, 5), ((91, 109, 91), 2, 2), ((32, 32), 5, 4), ((3, 40), 5, 0)],
)
def test_a_grid_is_halved_only_while_two_voxels_are_left(grid, wanted, halvings):
    assert bearable_halvings(grid, wanted) == halvings
