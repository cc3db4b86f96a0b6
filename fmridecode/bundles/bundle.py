"""Save a trained decoder as a folder, and load it without running any code of it."""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
import torch
from torch import Tensor

from fmridecode import __version__
from fmridecode.atomic import write_atomically
from fmridecode.bundles.card import model_card
from fmridecode.core.calibration import Calibration
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapClass
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.trained import TrainedDecoder, build_whole
from fmridecode.errors import BadDataError, NoInputError, UsageError

FORMAT = 1
"""Version of the layout; a bundle with a higher one is refused."""

WEIGHTS, CONFIG, CARD = "model.safetensors", "config.json", "README.md"

_BROKEN = (
    AttributeError,
    OverflowError,
    RecursionError,
    RuntimeError,
    TypeError,
    UsageError,
    ValueError,
    safetensors.SafetensorError,
)
"""What content that does not hold together can raise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A decoder read from disk and the hash that names it in sidecars."""

    decoder: TrainedDecoder
    hash: str
    folder: Path


def save(decoder: TrainedDecoder, folder: Path) -> str:
    """Write the three files of a bundle and return its hash; the config is written last.

    Parameters
    ----------
    decoder
        What to keep.
    folder
        Made if missing; files of an earlier bundle are replaced.
    """
    tensors = {
        name: t.detach().cpu().contiguous() for name, t in decoder.model.state_dict().items()
    }
    weights = safetensors.torch.save(tensors)
    described = {
        "format": FORMAT,
        "fmridecode": __version__,
        "torch": torch.__version__,
        "model": asdict(decoder.model_config),
        "training": asdict(decoder.training_config),
        "classes": [asdict(each) for each in decoder.classes],
        "grid": asdict(decoder.grid),
        "mask_source": decoder.mask_source,
        "zscore": decoder.zscore,
        "calibration": asdict(decoder.calibration),
        "n_maps": decoder.n_maps,
        "n_participants": decoder.n_participants,
        "seed": decoder.seed,
        "weights_sha256": hashlib.sha256(weights).hexdigest(),
    }
    config = json.dumps(described, indent=2)
    write_atomically(folder / WEIGHTS, weights)
    write_atomically(folder / CARD, model_card(decoder).encode())
    write_atomically(folder / CONFIG, config.encode())  # last: its presence counts
    return hashlib.sha256(config.encode()).hexdigest()


def load(folder: Path, *, device: torch.device) -> Bundle:
    """Read a bundle, checking its format, its hash and the shape of every tensor.

    Raises
    ------
    NoInputError
        When a file is missing.
    BadDataError
        When the bundle is newer than this version, or its content does not hold together.
    """
    raw_config, weights = _read(folder / CONFIG), _read(folder / WEIGHTS)
    try:
        described = json.loads(raw_config)
        if described["format"] > FORMAT:
            raise BadDataError(
                f"{folder} has bundle format {described['format']}; this version reads up to "
                f"{FORMAT}: upgrade fmridecode."
            )
        if hashlib.sha256(weights).hexdigest() != described["weights_sha256"]:
            raise BadDataError(
                f"{folder / WEIGHTS} does not match the hash in {CONFIG}: the file was changed or "
                "cut short; train or fetch the decoder again."
            )
        decoder = _rebuild(described, safetensors.torch.load(weights), device)
    except BadDataError:
        raise
    except KeyError as problem:
        raise BadDataError(f"{folder} is not a usable decoder bundle: no {problem}.") from None
    except _BROKEN as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        reason = reason.rstrip(".")
        raise BadDataError(f"{folder} is not a usable decoder bundle: {reason}.") from None
    return Bundle(decoder=decoder, hash=hashlib.sha256(raw_config).hexdigest(), folder=folder)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as problem:
        raise NoInputError(
            f"{path} cannot be read ({problem.strerror}): a decoder bundle is a folder with "
            f"{WEIGHTS} and {CONFIG}."
        ) from None


def _rebuild(
    described: dict[str, Any], tensors: dict[str, Tensor], device: torch.device
) -> TrainedDecoder:
    model_config = ModelConfig(**_tuples(described["model"]))
    mask = tensors["mask"]
    grid = described["grid"]
    if mask.dtype != torch.bool or tuple(mask.shape) != tuple(grid["shape"]):
        raise ValueError(
            f"its mask is {mask.dtype} of shape {tuple(mask.shape)}, its grid {grid['shape']}"
        )
    classes = tuple(MapClass(**each) for each in described["classes"])
    _check_sizes(model_config, tensors, len(classes))
    model = build_whole(model_config, mask, len(classes), generator=torch.Generator())
    model.load_state_dict(tensors, strict=True)
    calibration = Calibration(**described["calibration"])
    if not 0 < calibration.temperature < math.inf:
        raise ValueError(f"its temperature is {calibration.temperature}")
    if described["zscore"] not in ("brain", "volume"):
        raise ValueError(f"its z-score is over {described['zscore']!r}")
    return TrainedDecoder(
        model=model.to(device),
        model_config=model_config,
        training_config=TrainingConfig(**_tuples(described["training"])),
        classes=classes,
        grid=Grid(
            shape=tuple(grid["shape"]),
            affine=tuple(tuple(row) for row in grid["affine"]),
            space=grid["space"],
            resolution=grid["resolution"],
        ),
        mask_source=described["mask_source"],
        zscore=described["zscore"],
        calibration=calibration,
        n_maps=described["n_maps"],
        n_participants=described["n_participants"],
        seed=described["seed"],
    )


def _check_sizes(config: ModelConfig, tensors: dict[str, Tensor], n_classes: int) -> None:
    """Raise a ValueError unless the tensors are those that the config describes.

    Nothing is allocated by what the config says: the decoder is built without memory first.
    """
    members = {name.split(".")[1] for name in tensors if name.startswith("members.")}
    if config.ensemble != max(len(members), 1):
        raise ValueError(f"it holds {max(len(members), 1)} decoders, not {config.ensemble}")
    with torch.device("meta"):
        model = build_whole(config, tensors["mask"], n_classes, generator=torch.Generator("cpu"))
    expected = {name: tuple(t.shape) for name, t in model.state_dict().items()}
    found = {name: tuple(t.shape) for name, t in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise ValueError(
                f"its tensor {name} has shape {found.get(name, 'none')}, its config says "
                f"{expected.get(name, 'none')}"
            )
        if not torch.isfinite(tensors[name]).all():
            raise ValueError(f"its tensor {name} holds values that are not finite")


def _tuples(values: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
