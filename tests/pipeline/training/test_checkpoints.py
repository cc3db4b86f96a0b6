"""Trainings that are ended at random moments end with the same files as one that is not."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from fmridecode.cli.running import exit_code_of
from fmridecode.config import RunConfig, Values, compose
from fmridecode.core.splits import Split
from fmridecode.core.training import Trainer
from fmridecode.pipeline.training import train as module
from fmridecode.pipeline.training.checkpoints import Checkpoints, training_key
from fmridecode.pipeline.training.train import train

from .small_maps import make_small_maps

SPLIT = Split(train=("00", "01"), validation=("02",), test=("03",))
CPU = torch.device("cpu")


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }


@pytest.mark.parametrize("recipe", ["pgd", "auto"])
def test_killed_trainings_end_with_the_same_files(recipe: str, tmp_path: Path) -> None:
    """By SIGTERM, SIGKILL and SIGUSR1, one after the other, each at a random moment."""
    line = [sys.executable, Path(__file__).with_name("killing.py"), tmp_path / "out", recipe]
    done = subprocess.run([*map(str, line), "3", "0"], capture_output=True, text=True, check=True)
    first, *killed, last = json.loads(done.stdout)["codes"]
    said = (tmp_path / "out" / "killed.log").read_text()
    assert (first, last) == (0, 0), said
    # a signal may come before the process can catch it, or after it is done
    assert all(code in (0, 75, -9, -15, -10) for code in killed)
    whole, resumed = files(tmp_path / "out" / "whole"), files(tmp_path / "out" / "killed")
    assert any(name.endswith("model.safetensors") for name in whole)
    assert resumed == whole
    assert "Traceback" not in said


RECIPES: dict[str, Values] = {
    "standard": {"training": {"scheme": "standard", "mixup": True, "schedule": "cosine"}},
    "adversarial": {"training": {"scheme": "adversarial", "input_noise": 0.1}},
    "members": {"training": {"scheme": "pgd"}, "model": {"ensemble": 2}},
    "auto": {"training": {"scheme": "adversarial", "epsilon": "auto"}},
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_signal_ends_a_training_after_the_minibatch_and_it_goes_on(
    recipe: str,
    quick: Callable[..., RunConfig],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture,
) -> None:
    few: Values = {"split": {"folds": 2}, "evaluation": {"baseline": "off"}}
    config = quick(few, {"saliency": {"methods": ("gradient",)}}, RECIPES[recipe])
    maps, updates, update = make_small_maps(), [0], Trainer.update

    def counted(self: Trainer, *arguments: Any, **more: Any) -> Any:
        updates[0] += 1
        if updates[0] % 7 == 0:
            os.kill(os.getpid(), signal.SIGTERM)
        return update(self, *arguments, **more)

    def run(out: Path) -> int:
        return exit_code_of(lambda: train(config, maps, {}, out, CPU) and None)

    assert run(tmp_path / "whole") == 0
    monkeypatch.setattr(module, "seconds", lambda *_: 0.0)  # its timed minibatches are no training
    monkeypatch.setattr(Trainer, "update", counted)
    n_ended = 0
    while (code := run(tmp_path / "ended")) == 75:
        n_ended += 1
        lines = capsys.readouterr().err.splitlines()  # the log may be there, too
        (said,) = (line for line in lines if line.startswith("fmridecode: error"))
        assert "SIGTERM came, and the training stands in" in said
        assert said.endswith("The same command goes on from here.")
        assert list((tmp_path / "ended").rglob("checkpoints/*.safetensors"))
    assert code == 0
    assert n_ended >= 2
    assert files(tmp_path / "ended") == files(tmp_path / "whole")


def key(maps=None, **more: object) -> str:
    values = {"config": compose(), "maps": maps or make_small_maps(4), "split": SPLIT}
    return training_key(**{**values, "seeds": [1, 2], "device": CPU, **more})


def test_another_training_has_another_key() -> None:
    maps = make_small_maps(4)
    moved = tuple(replace(each, sources=("bids::other",)) for each in maps.examples)
    others = [
        key(config=compose({"training": {"learning_rate": 0.5}})),
        key(config=compose({"model": {"filters": [3]}})),
        key(config=compose({"space": {"zscore": "volume"}})),
        key(seeds=[1, 3]),
        key(split=replace(SPLIT, train=("00",))),
        key(device=torch.device("cuda")),
        key(replace(maps, examples=moved)),
        key(replace(maps, mask=np.ones_like(maps.mask))),
    ]
    assert key() == key()
    assert len({key(), *others}) == len(others) + 1


def test_checkpoints_are_removed_with_their_folder(tmp_path: Path) -> None:
    checkpoints = Checkpoints(folder=tmp_path / "fold-1" / "checkpoints", seconds=0, several=True)
    checkpoints.remove()
    checkpoints.folder.mkdir(parents=True)
    (checkpoints.folder / "x").touch()
    checkpoints.remove()
    assert list((tmp_path / "fold-1").iterdir()) == []
