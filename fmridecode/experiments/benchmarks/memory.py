"""The peak of memory while a program runs."""

import contextlib
import ctypes
import re

import torch

_PROCESS = "/proc/self"


class Peak:
    """Starts counting when made: on a GPU torch's own count, else the resident memory of Linux."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.before: float | None
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self.before = torch.cuda.memory_allocated(device) / 2**20
            return
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)  # what earlier programs left would hide the peak
        self.before = _resident("VmRSS") if _reset() else None

    def mebibytes(self) -> float | None:
        """Return the peak beyond what was held at the start; None where it cannot be known."""
        if self.before is None:
            return None
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 2**20 - self.before
        peak = _resident("VmHWM")
        return None if peak is None else peak - self.before


def _reset() -> bool:
    """Let Linux forget the peak so far."""
    try:
        with open(f"{_PROCESS}/clear_refs", "w", encoding="ascii") as stream:  # noqa: PTH123
            stream.write("5")
    except OSError:
        return False
    return True


def _resident(field: str) -> float | None:
    with open(f"{_PROCESS}/status", encoding="ascii") as stream:  # noqa: PTH123
        found = re.search(rf"^{field}:\s+(\d+) kB", stream.read(), re.MULTILINE)
    return int(found[1]) / 1024 if found else None
