from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import torch

from fmridecode.bundles.checkpoint import load_checkpoint, save_checkpoint
from fmridecode.core.checkpoint import Checkpoint
from fmridecode.core.history import Epoch


@pytest.fixture
def checkpoint() -> Checkpoint:
    generator = torch.Generator().manual_seed(0)
    weights = {"head.weight": torch.randn(3, 7, generator=generator), "mask": torch.ones(7) > 0}
    epoch = Epoch(
        epoch=0,
        train_loss=1 / 3,
        validation_loss=0.1 + 0.2,
        validation_score=0.5,
        robust_score=float("nan"),
    )
    return Checkpoint(
        model=weights,
        best={},
        optimiser={"0.step": torch.tensor(3.0), "0.exp_avg": weights["head.weight"].T},
        generator=generator.get_state(),
        order=np.array([2, 0, 1]),
        losses=(0.1, 1e-17),
        updates=4,
        portion=2,
        epochs=(epoch,),
    )


def same(a: object, b: object) -> bool:
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if isinstance(a, torch.Tensor):
        return a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, np.ndarray):
        return bool((a == b).all()) and a.dtype == b.dtype
    return repr(a) == repr(b)


def test_a_checkpoint_comes_back_bit_for_bit(checkpoint: Checkpoint, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "a" / "x.safetensors", checkpoint, key="k")
    back = load_checkpoint(tmp_path / "a" / "x.safetensors", key="k")
    for field in fields(Checkpoint):
        assert same(getattr(checkpoint, field.name), getattr(back, field.name)), field.name


def test_there_is_none_where_there_is_no_file(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path / "x.safetensors", key="k") is None


def test_that_of_another_training_is_not_taken(
    checkpoint: Checkpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    save_checkpoint(tmp_path / "x.safetensors", checkpoint, key="k")
    assert load_checkpoint(tmp_path / "x.safetensors", key="other") is None
    assert "is of another training, which starts anew" in caplog.text


@pytest.mark.parametrize("length", [0, 7, 200, -1])
def test_a_damaged_one_is_not_taken_and_said_to_be(
    checkpoint: Checkpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture, length: int
) -> None:
    path = tmp_path / "x.safetensors"
    save_checkpoint(path, checkpoint, key="k")
    path.write_bytes(path.read_bytes()[:length])
    assert load_checkpoint(path, key="k") is None
    assert "damaged" in caplog.text


def test_a_file_of_weights_is_no_checkpoint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from safetensors.torch import save_file

    save_file({"a": torch.ones(2)}, tmp_path / "x.safetensors")
    assert load_checkpoint(tmp_path / "x.safetensors", key="k") is None
    assert "damaged" in caplog.text
