"""Train in a process that is ended at random moments, and begin again until it is done.

Run by `test_checkpoints`, and by hand for more moments:
``python tests/pipeline/training/killing.py OUT RECIPE KILLS SEED``.
"""

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import torch
from small_maps import make_small_maps

from fmridecode.cli.running import exit_code_of, set_up_logging
from fmridecode.config import RunConfig, compose
from fmridecode.pipeline.training.train import train

TINY = {
    "model": {"filters": (4,), "halvings": 1, "gain": 1.0, "linear_path": True, "ensemble": 2},
    "training": {"epochs": 16, "batch_size": 8, "learning_rate": 0.003, "steps": 2},
    "split": {"folds": 2, "validation_share": 0.4},
    "saliency": {"methods": ("gradient",)},
    "execution": {"device": "cpu", "checkpoint_minutes": 0.01 / 60},
}
RECIPES = {
    "standard": {"training": {"scheme": "standard", "mixup": True, "schedule": "cosine"}},
    "adversarial": {"training": {"scheme": "adversarial", "input_noise": 0.1}},
    "pgd": {"training": {"scheme": "pgd"}},
    "auto": {"model": {"ensemble": 1}, "training": {"scheme": "adversarial", "epsilon": "auto"}},
}


def config_of(recipe: str) -> RunConfig:
    return compose(TINY, RECIPES[recipe])


def begin(recipe: str, out: Path) -> int:
    """Fork a process that trains and ends with the command line's code."""
    process = os.fork()
    if process:
        return process
    log = os.open(f"{out}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 2)
    set_up_logging(0)
    maps, device = make_small_maps(), torch.device("cpu")
    code = exit_code_of(lambda: train(config_of(recipe), maps, {}, out, device) and None)
    os._exit(code)


def main(out: Path, recipe: str, kills: int, seed: int) -> None:
    """Print the codes that the processes ended with, minus the signal where one killed it."""
    torch.set_num_threads(1)
    out.mkdir()
    began = time.monotonic()
    codes = [os.waitstatus_to_exitcode(os.waitpid(begin(recipe, out / "whole"), 0)[1])]
    seconds = time.monotonic() - began
    chance = random.Random(seed)
    for n in range(kills):
        process = begin(recipe, out / "killed")
        time.sleep(chance.uniform(0.02, 1.5 / kills) * seconds)
        os.kill(process, (signal.SIGTERM, signal.SIGKILL, signal.SIGUSR1)[n % 3])
        codes.append(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))
    codes.append(os.waitstatus_to_exitcode(os.waitpid(begin(recipe, out / "killed"), 0)[1]))
    sys.stdout.write(json.dumps({"codes": codes, "seconds": seconds}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
