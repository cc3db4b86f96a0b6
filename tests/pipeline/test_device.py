import pytest
import torch

from fmridecode.config import ExecutionConfig
from fmridecode.errors import UsageError
from fmridecode.pipeline.device import choose_device


def test_auto_takes_what_there_is() -> None:
    kind = "cuda" if torch.cuda.is_available() else "cpu"
    assert choose_device(ExecutionConfig(device="auto")).type == kind


@pytest.mark.parametrize("wanted", ["tpu", "meta", "gpu", "cuda:x", ""])
def test_other_devices_are_refused(wanted: str) -> None:
    with pytest.raises(UsageError, match="use auto, cpu, cuda or cuda:N"):
        choose_device(ExecutionConfig(device=wanted))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_refused_with_a_remedy() -> None:
    with pytest.raises(UsageError, match="--device cpu"):
        choose_device(ExecutionConfig(device="cuda"))
