"""Fork processes that train together, as torchrun would start them, for `test_together`.

``together.py OUT`` trains in 1, 2 and 4 processes, in 2 whose first fails, and in 2 that are ended
once by SIGTERM and begun again; it prints the exit codes.
"""

import json
import os
import signal
import socket
import sys
import time
from pathlib import Path

import torch
from killing import TINY
from small_maps import make_small_maps

from fmridecode.cli.running import exit_code_of
from fmridecode.config import compose
from fmridecode.errors import BadDataError
from fmridecode.pipeline.training.together import by_first, joined, shared_maps
from fmridecode.pipeline.training.train import train

SCHEMES = ("standard", "random-noise", "adversarial", "pgd", "targeted")
RECIPES = {
    each: {
        "model": {"ensemble": 1},
        "training": {
            "scheme": "adversarial" if each == "targeted" else each,
            "attack": "targeted" if each == "targeted" else "untargeted",
            "epochs": 4,
            "batch_size": 11,
            "mixup": each in ("standard", "pgd"),
            "input_noise": 0.1,
            "l2": 1e-3,
        },
        "evaluation": {"baseline": "off"},
    }
    for each in SCHEMES
}


FEW = ("adversarial", "pgd")
RUNS = {
    "one": (1, SCHEMES),
    "two": (2, SCHEMES),
    "four": (4, FEW),
    "fails": (2, ("fails",)),
    "ended": (2, FEW),
    "ended again": (2, FEW),
}


def work(out: Path, recipes: tuple[str, ...]) -> None:
    with joined(compose(TINY).execution) as (peers, device):
        maps = shared_maps(peers, make_small_maps() if peers.first else None)
        for recipe in recipes:
            if recipe == "fails":
                by_first(peers, fail)
            config = compose(TINY, RECIPES[recipe])
            train(config, maps, {}, out / recipe, device, peers=peers)


def fail() -> None:
    raise BadDataError("These maps are of no use.")


def fork(rank: int, size: int, port: int, out: Path, recipes: tuple[str, ...]) -> int:
    process = os.fork()
    if process:
        return process
    named = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
    os.environ.update({name: str(value) for name, value in named.items()})
    os.environ["MASTER_ADDR"] = "127.0.0.1"
    log = os.open(f"{out}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 2)
    os._exit(exit_code_of(lambda: work(out, recipes)))


def run(name: str, out: Path) -> list[int]:
    """Return the exit codes of the processes."""
    size, recipes = RUNS[name]
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    out = out / name.removesuffix(" again")
    processes = [fork(rank, size, port, out, recipes) for rank in range(size)]
    if name == "ended":
        while not list(out.rglob("checkpoints/*.safetensors")):
            time.sleep(0.002)
        os.kill(processes[1], signal.SIGTERM)  # one is enough: they agree
    return [os.waitstatus_to_exitcode(os.waitpid(each, 0)[1]) for each in processes]


if __name__ == "__main__":
    torch.set_num_threads(1)
    folder = Path(sys.argv[1])
    sys.stdout.write(json.dumps({name: run(name, folder) for name in RUNS}))
