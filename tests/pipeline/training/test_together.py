"""Processes of torchrun, with gloo, on one machine: the decoders of one process, no hanging."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
import torch

from fmridecode.config import ExecutionConfig
from fmridecode.core.peers import ALONE
from fmridecode.errors import BadDataError, TryAgainError, UsageError
from fmridecode.pipeline.training.together import by_first, joined, n_started, shared_maps

from .small_maps import make_small_maps

Said = dict[str, list[int]]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Said]:
    """Run all of ``together.py`` once; return its folder and the exit codes."""
    out = tmp_path_factory.mktemp("together")
    line = [sys.executable, str(Path(__file__).with_name("together.py")), str(out)]
    done = subprocess.run(line, capture_output=True, text=True, check=True, timeout=300)
    return out, json.loads(done.stdout)


def weights(out: Path) -> dict[str, dict[str, torch.Tensor]]:
    return {
        str(path.relative_to(out)): safetensors.torch.load_file(path)
        for path in sorted(out.rglob("model.safetensors"))
    }


@pytest.mark.parametrize(("several", "n"), [("two", 10), ("four", 4)])
def test_processes_train_the_decoders_of_one(
    several: str, n: int, trained: tuple[Path, Said]
) -> None:
    """Batches of 11 leave one map, so that processes have uneven and empty shares."""
    out, codes = trained
    assert set(codes["one"] + codes[several]) == {0}, (out / f"{several}.log").read_text()
    one, found = weights(out / "one"), weights(out / several)
    assert len(found) == n
    for name in found:
        for tensor, value in found[name].items():
            torch.testing.assert_close(value, one[name][tensor], rtol=1e-4, atol=1e-5)


def test_where_the_first_process_fails_all_end_and_say_why(trained: tuple[Path, Said]) -> None:
    out, codes = trained
    assert codes["fails"] == [65, 65]
    assert sorted((out / "fails.log").read_text().splitlines()) == [
        "fmridecode: error: The first process ended with an error; see what it said.",
        "fmridecode: error: These maps are of no use.",
    ]


def test_a_signal_to_one_ends_all_at_one_minibatch_and_they_go_on_bit_for_bit(
    trained: tuple[Path, Said],
) -> None:
    out, codes = trained
    assert codes["ended"] == [75, 75]
    assert codes["ended again"] == [0, 0]
    whole, ended = weights(out / "two"), weights(out / "ended")
    assert len(ended) == 4
    for name, tensors in ended.items():
        assert all(torch.equal(whole[name][each], value) for each, value in tensors.items())


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Set what torchrun sets for one of two processes."""
    said = {"RANK": "0", "WORLD_SIZE": "2", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1"}
    for name, value in {**said, "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_process_without_torchrun_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "4")  # as some batch systems set it
    assert n_started() == 1
    with joined(ExecutionConfig(device="cpu")) as (peers, device):
        assert peers.alone
        assert device.type == "cpu"
        assert by_first(peers, lambda: 3) == 3
        maps = make_small_maps(2)
        assert shared_maps(peers, maps) is maps


def test_one_gpu_for_all_is_refused(environment: pytest.MonkeyPatch) -> None:
    assert n_started() == 2
    with pytest.raises(UsageError, match="use --device cuda"):
        joined(ExecutionConfig(device="cuda:1")).__enter__()


def test_peers_out_of_reach_are_one_line(environment: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("The client socket has timed out\nand more")

    environment.setattr(torch.distributed, "init_process_group", fail)
    with pytest.raises(TryAgainError, match=r"cannot reach one another .*timed out\)"):
        joined(ExecutionConfig(device="cpu")).__enter__()


def test_an_error_of_the_first_process_is_raised_there_as_it_is() -> None:
    def fail() -> None:
        raise BadDataError("as it is")

    with pytest.raises(BadDataError, match="as it is"):
        by_first(ALONE, fail)
