"""What the machine is, and how fast it multiplies."""

import os
import re
from pathlib import Path

import torch

from fmridecode.experiments.benchmarks.comparison import elapsed

_SIZE = {"cpu": 1024, "cuda": 8192}
_TRIES = 3


def machine(device: torch.device) -> str:
    """Name the processor and the versions that the times belong to."""
    versions = f"torch {torch.__version__}"
    if device.type == "cuda":
        return f"{torch.cuda.get_device_name(device)}, CUDA {torch.version.cuda}, {versions}"
    found = None
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", cpuinfo.read_text(), re.MULTILINE)
    name = found[1].strip() if found else os.uname().machine
    return f"{name}, {torch.get_num_threads()} threads, {versions}"


def multiplications_a_second(device: torch.device) -> float:
    """Return how many products a second, with a sum each, a large matrix product makes.

    In float32; on a GPU in TF32 where convolutions may use it.
    """
    size = _SIZE[device.type]
    a = torch.ones(size, size, device=device)
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32
    try:
        seconds = min(elapsed(lambda: a @ a, device) for _ in range(_TRIES))
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before
    return float(size**3 / seconds)
