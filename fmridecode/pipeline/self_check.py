"""What this installation can do here: one line for each thing that a run depends on."""

import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fmridecode.errors import CannotCreateError, FmridecodeError, NoInputError

_MIB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the check.

    Parameters
    ----------
    name, said
        What was looked at, and what was found.
    problem
        What makes a run impossible; None when nothing does.
    """

    name: str
    said: str
    problem: FmridecodeError | None = None

    def __str__(self) -> str:
        return f"{self.name}: {self.said}"


def self_check() -> Iterator[Finding]:
    """Look at one thing after the other.

    A missing GPU, template or shipped decoder is no problem: a run then uses the CPU, a stand-in
    for the brain mask, and decoders that it trains.
    """
    from fmridecode import __version__

    yield Finding(name="fmridecode", said=__version__)
    yield Finding(name="python", said=f"{platform.python_version()} on {platform.platform()}")
    looks: dict[str, Callable[[], Finding]] = {
        "torch": _torch,
        "device": _device,
        "libraries": _libraries,
        "templates": _templates,
        "decoders": _decoders,
        "temporary files": _temporary,
        "matplotlib": _matplotlib,
        "memory and cores": _memory,
    }
    for name, look in looks.items():
        try:
            yield look()
        except Exception as error:  # a broken library fails in any way
            what = " ".join(f"{type(error).__name__}: {error}".split())
            yield Finding(
                name=name,
                said=what,
                problem=NoInputError(f"{name} cannot be used ({what}); install fmridecode again."),
            )


def _torch() -> Finding:
    import torch

    built = f"for CUDA {torch.version.cuda}" if torch.version.cuda else "without CUDA"
    return Finding(name="torch", said=f"{torch.__version__}, built {built}")


def _device() -> Finding:
    import torch

    from fmridecode.config import ExecutionConfig
    from fmridecode.pipeline.device import choose_device

    try:
        choose_device(ExecutionConfig(device="cuda"))
    except FmridecodeError as error:
        return Finding(name="device", said=f"cpu. {error}")
    found = [torch.cuda.get_device_properties(i) for i in range(torch.cuda.device_count())]
    listed = "; ".join(f"{each.name}, {each.total_memory // _MIB} MiB" for each in found)
    return Finding(name="device", said=f"cuda, {len(found)} GPU: {listed}")


def _libraries() -> Finding:
    import bids
    import nibabel
    import nilearn

    # importing TemplateFlow's client would fill its home with stubs
    said = [f"{each.__name__} {each.__version__}" for each in (bids, nibabel, nilearn)]
    return Finding(name="libraries", said=", ".join(said))


def _templates() -> Finding:
    from fmridecode.bids.template_store import known_spaces, stock
    from fmridecode.bids.templateflow import TemplateFlow

    flow = TemplateFlow(online=False)
    stocks = [stock(flow, space) for space in known_spaces()]
    said = "; ".join(
        f"{each.space} {each.verified} of {each.verified + len(each.missing)} files verified"
        for each in stocks
    )
    return Finding(name="templates", said=f"{flow.home}: {said}")


def _decoders() -> Finding:
    from fmridecode.bundles.shipped import shipped

    return Finding(name="decoders", said=", ".join(shipped()) or "none shipped")


def _temporary() -> Finding:
    try:
        with tempfile.TemporaryFile() as stream:
            stream.write(b"0" * _MIB)
    except OSError as error:
        return Finding(
            name="temporary files",
            said=f"cannot be written ({error.strerror or error})",
            problem=CannotCreateError(
                f"Temporary files cannot be written ({error.strerror or error}); mount a writable "
                "/tmp, or name a folder with TMPDIR."
            ),
        )
    return Finding(name="temporary files", said=f"{tempfile.gettempdir()}, writable")


def _matplotlib() -> Finding:
    import matplotlib

    configured = os.environ.get("MPLCONFIGDIR", "")
    used = Path(matplotlib.get_configdir())
    note = "" if not configured or used == Path(configured) else f" ({configured} is not writable)"
    return Finding(name="matplotlib", said=f"{matplotlib.__version__}, settings in {used}{note}")


def _memory() -> Finding:
    from fmridecode.pipeline.memory import memory_here

    cores = len(os.sched_getaffinity(0))
    return Finding(
        name="memory and cores", said=f"{memory_here() // _MIB} MiB, {cores} cores to use"
    )
