"""Save a trained decoder as three files, and load it without running any code of it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from fmridecode import __version__
from fmridecode.atomic import write_atomically
from fmridecode.bundles.card import model_card
from fmridecode.bundles.fields import check_text, rebuild
from fmridecode.bundles.files import CARD, CONFIG, WEIGHTS, Files, read_files
from fmridecode.core.abstention import Abstention
from fmridecode.core.calibration import Calibration
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapClass
from fmridecode.core.objective import CLASSES, NUMBER
from fmridecode.core.origin import Origin
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.target import Number
from fmridecode.core.trained import TrainedDecoder, build_whole
from fmridecode.errors import BadDataError, UsageError

FORMAT = 3
"""Version of the layout; a bundle with a higher one is refused.

2 added the origin and the hash of the card, 3 the decoders of a number; those of classes are
still written as 2, for they have not changed.
"""

_BROKEN = (
    AttributeError,
    KeyError,
    OverflowError,
    RecursionError,
    RuntimeError,
    TypeError,
    UsageError,
    ValueError,
    safetensors.SafetensorError,
)
"""What content that does not hold together can raise."""

_LABEL = re.compile(r"[A-Za-z0-9]+")
_HEXADECIMAL = re.compile(r"[0-9a-f]*")
_MOST_LAYERS, _MOST_CLASSES, _LONGEST_NAME = 64, 1000, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A decoder read from disk.

    Parameters
    ----------
    decoder
        The decoder.
    hash
        SHA-256 of the config, which holds those of the other files: it names the bundle.
    path
        Where it was read.
    """

    decoder: TrainedDecoder
    hash: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """``config.json``: everything but the tensors."""

    format: int
    fmridecode: str
    torch: str
    model: ModelConfig
    training: TrainingConfig
    classes: tuple[MapClass, ...]
    grid: Grid
    mask_source: str
    zscore: Literal["brain", "volume"]
    calibration: Calibration | None
    n_maps: int
    n_participants: int
    seed: int
    origin: Origin = field(default_factory=Origin)
    abstention: Abstention | None = None
    weights_sha256: str
    card_sha256: str = ""
    number: Number | None = None


def packed(decoder: TrainedDecoder) -> Files:
    """Return the three files of a decoder; equal decoders make equal files."""
    tensors = {
        name: t.detach().cpu().contiguous() for name, t in decoder.model.state_dict().items()
    }
    weights = safetensors.torch.save(tensors)
    card = model_card(decoder).encode()
    described = Described(
        format=2 if decoder.number is None else FORMAT,
        fmridecode=__version__,
        torch=torch.__version__,
        model=decoder.model_config,
        training=decoder.training_config,
        classes=decoder.classes,
        grid=decoder.grid,
        mask_source=decoder.mask_source,
        zscore="brain" if decoder.zscore == "brain" else "volume",
        calibration=decoder.calibration,
        n_maps=decoder.n_maps,
        n_participants=decoder.n_participants,
        seed=decoder.seed,
        origin=decoder.origin,
        abstention=decoder.abstention,
        number=decoder.number,
        weights_sha256=_sha256(weights),
        card_sha256=_sha256(card),
    )
    said = {each.name: getattr(described, each.name) for each in fields(described)}
    if decoder.number is None:
        del said["number"]  # so that versions before it can read the bundle
    config = json.dumps(said, indent=2, default=_plain, ensure_ascii=False).encode()
    return Files(weights=weights, config=config, card=card)


def save(decoder: TrainedDecoder, folder: Path) -> str:
    """Write the three files of a bundle and return its hash; the config is written last.

    Parameters
    ----------
    decoder
        What to keep.
    folder
        Made if missing; files of an earlier bundle are replaced.
    """
    files = packed(decoder)
    write_atomically(folder / WEIGHTS, files.weights)
    write_atomically(folder / CARD, files.card)
    write_atomically(folder / CONFIG, files.config)  # last: its presence counts
    return _sha256(files.config)


def load(path: Path, *, device: torch.device) -> Bundle:
    """Read a bundle, checking its format, every field, its hashes and every tensor.

    Parameters
    ----------
    path
        A folder, or a zip of one; a zip is read in memory.
    device
        Where the decoder goes.

    Raises
    ------
    NoInputError
        When a file is missing.
    BadDataError
        When the bundle is newer than this version, or its content does not hold together.
    """
    files = read_files(path)
    try:
        described = _described(files, path)
        decoder = _rebuild(described, safetensors.torch.load(files.weights), device)
    except BadDataError:
        raise
    except _BROKEN as problem:
        reason = str(problem).splitlines()[0] if str(problem) else type(problem).__name__
        reason = reason.rstrip(".")[:300]
        raise BadDataError(f"{path} is not a usable decoder bundle: {reason}.") from None
    return Bundle(decoder=decoder, hash=_sha256(files.config), path=path)


def _described(files: Files, path: Path) -> Described:
    said = json.loads(files.config.decode("utf-8"))
    version = said.get("format")
    if type(version) is not int or version < 1:
        raise ValueError(f"its format is {version!r:.60}")
    if version > FORMAT:
        raise BadDataError(
            f"{path} has bundle format {version}; this version reads up to {FORMAT}: upgrade "
            "fmridecode."
        )
    described = rebuild(Described, said, "config")
    hashes = {WEIGHTS: (files.weights, described.weights_sha256)}
    if version > 1:
        hashes[CARD] = (files.card, described.card_sha256)
    for name, (content, wanted) in hashes.items():
        if _sha256(content) != wanted:
            raise BadDataError(
                f"{path}: {name} does not match the hash in {CONFIG}: the file was changed or cut "
                "short; train or fetch the decoder again."
            )
    return described


def _rebuild(
    described: Described, tensors: Mapping[str, Tensor], device: torch.device
) -> TrainedDecoder:
    _check(described)
    mask = tensors["mask"]
    if mask.dtype != torch.bool or tuple(mask.shape) != described.grid.shape or not mask.any():
        raise ValueError(
            f"its mask is {mask.dtype} of shape {tuple(mask.shape)} with {int(mask.sum())} "
            f"voxels, its grid {described.grid.shape}"
        )
    objective = CLASSES if described.number is None else NUMBER
    n_outputs = objective.n_outputs(len(described.classes))
    _check_tensors(described.model, tensors, n_outputs)
    model = build_whole(described.model, mask, n_outputs, generator=torch.Generator())
    model.load_state_dict(tensors, strict=True)
    return TrainedDecoder(
        model=model.to(device),
        model_config=described.model,
        training_config=described.training,
        classes=described.classes,
        grid=described.grid,
        mask_source=described.mask_source,
        zscore=described.zscore,
        calibration=described.calibration,
        n_maps=described.n_maps,
        n_participants=described.n_participants,
        seed=described.seed,
        origin=described.origin,
        abstention=described.abstention,
        number=described.number,
    )


def _check(described: Described) -> None:
    """Raise a ValueError unless the values, of the right types already, make sense."""
    grid, origin = described.grid, described.origin
    if (described.calibration is None) == (described.number is None):
        raise ValueError("it must have either a temperature or a number, and no more than one")
    if described.calibration and described.calibration.temperature <= 0:
        raise ValueError(f"its temperature is {described.calibration.temperature}")
    if described.number:
        _check_number(described.number)
    if described.abstention and not 0 <= described.abstention.least <= 1:
        raise ValueError(f"it abstains below a probability of {described.abstention.least}")
    if described.abstention and described.abstention.other:
        names = [each.name for each in described.classes]
        if described.abstention.other not in names or len(names) < 3:
            raise ValueError(f"it has no class {described.abstention.other!r:.60} to abstain by")
    if len(described.model.filters) > _MOST_LAYERS:
        raise ValueError(f"it has {len(described.model.filters)} layers")
    if min(described.n_maps, described.n_participants, described.seed) < 0:
        raise ValueError("it counts fewer than 0 maps or participants, or has such a seed")
    names = [each.name for each in described.classes]
    fewest = 2 if described.number is None else 1
    if not fewest <= len(names) <= _MOST_CLASSES or len(set(names)) < len(names):
        raise ValueError(f"it has {len(names)} classes, {len(set(names))} of them distinct")
    for name in names:
        check_name(name)
    if origin.definitions and len(origin.definitions) != len(names):
        raise ValueError(f"it defines {len(origin.definitions)} of its {len(names)} classes")
    for label in (grid.space, grid.resolution):
        if not _LABEL.fullmatch(label):
            raise ValueError(f"its space and resolution are {grid.space!r}, {grid.resolution!r}")
    rows = {len(row) for row in grid.affine}
    if len(grid.affine) != 4 or rows != {4} or abs(np.linalg.det(grid.matrix)) < 1e-9:
        raise ValueError("its affine is not an invertible matrix of 4 x 4")
    if not (0 < len(grid.shape) <= 3) or min(grid.shape) < 1:
        raise ValueError(f"its grid has the shape {grid.shape}")
    prints = origin.fingerprints
    for each in (prints.salt, *prints.maps, *prints.participants):
        if not _HEXADECIMAL.fullmatch(each):
            raise ValueError("its fingerprints are not hexadecimal")


def _check_number(number: Number) -> None:
    if number.sd <= 0 or number.spread.scale <= 0:
        raise ValueError(f"its SDs are {number.sd} and, scaled, {number.spread.scale}")
    check_name(number.target.name, "column")
    check_text(number.target.unit, "unit", longest=_LONGEST_NAME)


def check_name(name: str, what: str = "class name") -> None:
    """Raise a ValueError unless something can go by this name in tables, files and pages."""
    check_text(name, what, longest=_LONGEST_NAME)
    if name != name.strip() or not any(c.isalnum() for c in name) or set(name) & set("<>"):
        raise ValueError(f"its {what} {name!r} has no letter or digit, or has < or >")


def _check_tensors(config: ModelConfig, tensors: Mapping[str, Tensor], n_outputs: int) -> None:
    """Raise a ValueError unless the tensors are those that the config describes.

    Nothing is allocated by what the config says: the decoder is built without memory first.
    """
    members = {name.split(".")[1] for name in tensors if name.startswith("members.")}
    if config.ensemble != max(len(members), 1):
        raise ValueError(f"it holds {max(len(members), 1)} decoders, not {config.ensemble}")
    with torch.device("meta"):
        model = build_whole(config, tensors["mask"], n_outputs, generator=torch.Generator("cpu"))
    expected = {name: (tuple(t.shape), t.dtype) for name, t in model.state_dict().items()}
    found = {name: (tuple(t.shape), t.dtype) for name, t in tensors.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            raise ValueError(
                f"its tensor {name[:80]!r} is {found.get(name, 'missing')}, its config says "
                f"{expected.get(name, 'that there is none')}"
            )
        if not torch.isfinite(tensors[name]).all():
            raise ValueError(f"its tensor {name} holds values that are not finite")


def _plain(value: Any) -> Any:
    return asdict(value)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
