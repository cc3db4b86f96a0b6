from dataclasses import replace

import numpy as np
import pytest
import torch

from fmridecode.core.batches import absent_classes, class_means, soft_labels
from fmridecode.core.maps import UNKNOWN
from fmridecode.errors import BadDataError


def test_only_the_chosen_examples_are_yielded_in_order(batches):
    some = replace(batches(12), indices=np.array([7, 2, 9, 4, 0]))
    parts = list(some.in_order(2))
    assert [len(x) for x, _ in parts] == [2, 2, 1]
    assert torch.equal(
        torch.cat([x for x, _ in parts]), torch.from_numpy(some.values[some.indices])
    )
    assert torch.cat([y for _, y in parts]).tolist() == [1, 2, 0, 1, 0]
    assert len(some) == 5


def test_shuffling_yields_every_example_once_in_an_order_that_the_generator_decides(batches):
    data = batches(30)

    def order(seed):
        generator = torch.Generator().manual_seed(seed)
        return data.take(data.shuffled(generator=generator))[0]

    assert torch.equal(order(0), order(0))
    assert not torch.equal(order(0), order(1))
    assert not torch.equal(order(0), torch.from_numpy(data.values))
    found = order(0).flatten(1).sum(dim=1).sort().values
    expected = torch.from_numpy(data.values).flatten(1).sum(dim=1).sort().values
    torch.testing.assert_close(found, expected)


def test_shuffled_maps_keep_their_labels(batches):
    data = batches(30)
    positions = data.shuffled(generator=torch.Generator().manual_seed(0))
    for one, label in zip(*data.take(positions), strict=True):
        (index,) = np.flatnonzero((data.values == one.numpy()).all(axis=(1, 2)))
        assert data.labels[index] == label


def test_memory_mapped_read_only_maps_become_tensors_of_their_own(batches, tmp_path):
    data = batches(6)
    np.save(tmp_path / "maps.npy", data.values)
    mapped = replace(data, values=np.load(tmp_path / "maps.npy", mmap_mode="r"))
    x, _ = mapped.take(slice(0, 2))
    x += 1
    assert (mapped.values == data.values).all()


def test_class_means_average_the_chosen_examples_of_each_class(batches):
    some = replace(batches(12), indices=np.array([0, 1, 2, 3, 4, 5]))
    expected = np.stack([(some.values[k] + some.values[k + 3]) / 2 for k in range(3)])
    np.testing.assert_allclose(class_means(some, 3), expected, rtol=1e-6)


def test_a_class_without_examples_is_an_error_that_names_it(batches):
    some = replace(batches(12), indices=np.array([0, 2, 3]))
    assert absent_classes(some, 4) == [1, 3]
    with pytest.raises(BadDataError, match="class 1, 3 "):
        class_means(some, 4)


def test_a_map_of_no_class_has_a_uniform_target() -> None:
    rows = soft_labels(torch.tensor([1, UNKNOWN]), 4, dtype=torch.float32)
    assert rows.tolist() == [[0, 1, 0, 0], [0.25] * 4]


@pytest.mark.gpu
def test_a_generator_on_cuda_shuffles_maps_on_cuda(batches):
    data = replace(batches(30), device=torch.device("cuda"))
    positions = data.shuffled(generator=torch.Generator("cuda").manual_seed(0))
    assert sorted(positions) == list(range(30))
    assert data.take(positions)[0].is_cuda


def test_maps_that_are_kept_give_the_batches_of_those_that_are_sent(batches):
    sent = replace(batches(200), indices=np.arange(190, 20, -2))
    kept = sent.kept(room=4 * 85 * 36)
    assert kept.held is not None
    order = sent.shuffled(generator=torch.Generator().manual_seed(0))
    for positions in (slice(None), slice(3, 9), order[:7], np.array([5])):
        for ours, theirs in zip(kept.take(positions), sent.take(positions), strict=True):
            assert torch.equal(ours, theirs)
    assert all(
        torch.equal(a[0], b[0]) for a, b in zip(kept.in_order(8), sent.in_order(8), strict=True)
    )


def test_maps_that_do_not_fit_are_sent(batches):
    sent = batches(20)
    assert sent.kept(room=4 * 20 * 36 - 1) is sent


def test_kept_maps_of_other_examples_are_refused(batches):
    with pytest.raises(ValueError, match="20 maps are kept of 3"):
        replace(batches(20).kept(room=10**6), indices=np.arange(3))


@pytest.mark.gpu
def test_maps_kept_on_cuda_are_those_that_are_sent(batches):
    sent = replace(batches(100), device=torch.device("cuda"))
    kept = sent.kept(room=10**9)
    positions = np.array([99, 0, 7])
    assert kept.held.is_cuda
    for ours, theirs in zip(kept.take(positions), sent.take(positions), strict=True):
        assert torch.equal(ours, theirs)
