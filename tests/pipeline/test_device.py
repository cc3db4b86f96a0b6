from collections.abc import Callable

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


@pytest.fixture
def a_gpu(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that pretends there is a GPU of this capability, and a torch for these."""

    def pretend(capability: tuple[int, int], built: list[str]) -> None:
        monkeypatch.setattr(torch.version, "cuda", "12.8")
        for name, value in {
            "is_available": True,
            "device_count": 1,
            "get_device_capability": capability,
            "get_device_name": "Tesla K80",
            "get_arch_list": built,
        }.items():
            monkeypatch.setattr(torch.cuda, name, lambda *_, value=value: value)
        monkeypatch.setattr(torch, "zeros", lambda *_, **__: None)

    return pretend


@pytest.mark.parametrize(
    ("capability", "built"),
    [
        ((8, 0), ["sm_75", "sm_80"]),
        ((8, 6), ["sm_80", "sm_90"]),
        ((9, 0), ["sm_80", "sm_90a"]),
        ((10, 0), ["sm_90", "compute_90"]),
        ((12, 0), ["sm_100", "sm_120"]),
        ((8, 0), []),
    ],
)
def test_a_gpu_that_this_torch_has_code_for_is_taken(
    a_gpu: Callable[..., None], capability: tuple[int, int], built: list[str]
) -> None:
    a_gpu(capability, built)
    assert choose_device(ExecutionConfig(device="cuda")).type == "cuda"


@pytest.mark.parametrize(
    ("capability", "built"),
    [((3, 7), ["sm_50", "sm_80"]), ((7, 0), ["sm_75", "compute_80"]), ((12, 0), ["sm_90"])],
)
def test_a_gpu_that_this_torch_has_no_code_for_is_refused_with_both_named(
    a_gpu: Callable[..., None], capability: tuple[int, int], built: list[str]
) -> None:
    a_gpu(capability, built)
    said = rf"Tesla K80 has compute capability {capability[0]}\.{capability[1]}.*{built[0]}"
    with pytest.raises(UsageError, match=said):
        choose_device(ExecutionConfig(device="cuda:0"))


def test_more_gpus_than_there_are_is_refused(a_gpu: Callable[..., None]) -> None:
    a_gpu((8, 0), ["sm_80"])
    with pytest.raises(UsageError, match="1 usable GPUs were found; check the driver"):
        choose_device(ExecutionConfig(device="cuda:1"))


def test_a_torch_without_cuda_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    with pytest.raises(UsageError, match="was built without CUDA"):
        choose_device(ExecutionConfig(device="cuda"))
