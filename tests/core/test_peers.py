import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fmridecode.core.peers import ALONE, Peers


@given(st.integers(0, 50), st.integers(1, 9))
def test_shares_are_all_examples_once_and_differ_by_one_at_most(n, size):
    rows = [range(n)[Peers(rank=rank, size=size).rows(n)] for rank in range(size)]
    assert [each for share in rows for each in share] == list(range(n))
    assert max(map(len, rows)) - min(map(len, rows)) <= 1
    assert len(rows[-1]) > 0 or n == 0


def test_one_process_alone_adds_nothing():
    (same,) = ALONE.add([values := torch.randn(3)])
    assert same is values
    assert ALONE.of_first("x") == "x"
    assert [ALONE.any(flag) for flag in (True, False)] == [True, False]
    assert ALONE.first
    assert ALONE.last
    assert ALONE.rows(7) == slice(0, 7)


@pytest.mark.parametrize("rank", [0, 1, 2])
def test_one_process_is_first_and_one_is_last(rank):
    peers = Peers(rank=rank, size=3)
    assert (peers.first, peers.last, peers.alone) == (rank == 0, rank == 2, False)
