"""Which device computes, and how to make it repeat itself."""

import torch
from threadpoolctl import threadpool_limits

from fmridecode.config import ExecutionConfig
from fmridecode.errors import UsageError


def choose_device(config: ExecutionConfig) -> torch.device:
    """Return the device asked for; ``auto`` takes a GPU when there is one.

    Raises
    ------
    UsageError
        When a GPU is asked for that cannot be used; the message gives torch's reason.
    """
    wanted = config.device
    if wanted == "auto":
        wanted = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(wanted)
    except RuntimeError:
        raise UsageError(f"--device is {wanted!r}; use auto, cpu, cuda or cuda:N.") from None
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"--device is {wanted!r}; use auto, cpu, cuda or cuda:N.")
    if device.type == "cuda":
        _require_cuda(device)
    return device


def _require_cuda(device: torch.device) -> None:
    if torch.version.cuda is None:
        raise UsageError(
            f"--device {device}: this torch ({torch.__version__}) was built without CUDA; "
            "install a CUDA build or use --device cpu."
        )
    n_devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= n_devices:
        raise UsageError(
            f"--device {device}: {n_devices} usable GPUs were found; check the driver, "
            "`docker run --gpus all` or `apptainer run --nv`, or use --device cpu."
        )
    _require_kernels(device)
    try:
        torch.zeros(1, device=device)
    except RuntimeError as problem:
        reason = str(problem).splitlines()[0]
        raise UsageError(f"--device {device} cannot be used: {reason}") from None


def room_for_maps(device: torch.device) -> int:
    """Return how many bytes of maps to keep on a GPU: half of what is free; none on a CPU."""
    return torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else 0


def _require_kernels(device: torch.device) -> None:
    """Raise a UsageError unless this torch has code that the GPU can run.

    Code of a capability runs on GPUs of the same major and no lower minor one (``sm_80`` on 8.6);
    PTX (``compute_80``) is compiled for any later GPU.
    """
    major, minor = torch.cuda.get_device_capability(device)
    built = torch.cuda.get_arch_list()
    for name in built:
        kind, _, number = name.rstrip("af").partition("_")
        capability = (int(number[:-1]), int(number[-1]))
        if kind == "compute" and capability <= (major, minor):
            return
        if kind == "sm" and capability[0] == major and capability[1] <= minor:
            return
    if built:
        raise UsageError(
            f"--device {device}: {torch.cuda.get_device_name(device)} has compute capability "
            f"{major}.{minor}, and this torch ({torch.__version__}) was built for "
            f"{', '.join(built)}; install a build of torch for it, or use --device cpu."
        )


def make_repeatable(threads: int) -> None:
    """Fix the number of threads and choose algorithms that give the same bits in every run."""
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    # numpy's products are small here, and its threads spin while they wait for a busy core
    threadpool_limits(1, user_api="blas")
