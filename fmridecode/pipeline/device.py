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
    try:
        torch.zeros(1, device=device)
    except RuntimeError as problem:
        reason = str(problem).splitlines()[0]
        raise UsageError(f"--device {device} cannot be used: {reason}") from None


def room_for_maps(device: torch.device) -> int:
    """Return how many bytes of maps to keep on a GPU: half of what is free; none on a CPU."""
    return torch.cuda.mem_get_info(device)[0] // 2 if device.type == "cuda" else 0


def make_repeatable(threads: int) -> None:
    """Fix the number of threads and choose algorithms that give the same bits in every run."""
    torch.set_num_threads(threads)
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    # numpy's products are small here, and its threads spin while they wait for a busy core
    threadpool_limits(1, user_api="blas")
