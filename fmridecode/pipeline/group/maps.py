"""The mean saliency map of every class and method over participants."""

import json
from collections import defaultdict
from pathlib import Path

import numpy as np

from fmridecode.bids.derivatives import write_map
from fmridecode.bids.images import read_image
from fmridecode.core.grid import Grid, as_rows
from fmridecode.errors import BadDataError

ENDING = "_saliency.nii.gz"


def write_group_maps(output_dir: Path) -> list[Path]:
    """Average the participants' maps that differ in nothing but participant and session.

    Each participant counts once: sessions are averaged first. Maps by decoders that were
    trained on the participant are left out.
    """
    found: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(output_dir.glob(f"sub-*/**/*{ENDING}")):
        parts = path.name.split("_")
        name = "_".join(["group", *(p for p in parts if not p.startswith(("sub-", "ses-")))])
        if not _sidecar(path).get("TrainedOnParticipant", False):
            found[name][parts[0]].append(path)
    for earlier in output_dir.glob(f"group_*{ENDING}"):
        if earlier.name not in found:
            earlier.unlink()
    return [_write_mean(output_dir / name, members) for name, members in found.items()]


def _sidecar(path: Path) -> dict[str, object]:
    sidecar = path.with_name(path.name.removesuffix(".nii.gz") + ".json")
    try:
        content: dict[str, object] = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise BadDataError(
            f"{sidecar} cannot be read ({problem}): run the participant level again for it."
        ) from None
    return content


def _write_mean(path: Path, members: dict[str, list[Path]]) -> Path:
    first = next(iter(members.values()))[0]
    shape, affine = (lambda image: (image[0].shape, image[1]))(read_image(first))
    total = np.zeros(shape)
    for paths in members.values():
        images = [read_image(each) for each in paths]
        for each, (values, other) in zip(paths, images, strict=True):
            if values.shape != shape or not np.allclose(other, affine, atol=1e-4):
                raise BadDataError(
                    f"{each} lies on another grid than {first}: one OUTPUT_DIR holds one grid; "
                    "run the participant level again for one of them."
                )
        total += np.mean([values for values, _ in images], axis=0)
    mean = total / len(members)
    said = _sidecar(first)
    kept = ("Mask", "SaliencyMethod", "TargetClass", "TrueClass", "Sign")
    sidecar = {
        "Description": f"Mean over {len(members)} participants of maps that were each scaled to a "
        f"root mean square of 1. {said['Description']}",
        "NumberOfParticipants": len(members),
        "Sources": [
            f"bids::{each.relative_to(path.parent)}"
            for paths in members.values()
            for each in paths
        ],
        "Units": "Arbitrary: root mean squares of the participants' maps are 1.",
        **{key: said[key] for key in kept if key in said},
    }
    labels = dict(part.split("-", 1) for part in path.name.split("_") if "-" in part)
    grid = Grid(
        shape=shape, affine=as_rows(affine), space=labels["space"], resolution=labels["res"]
    )
    write_map(path, mean, grid=grid, mask=np.ones(shape, dtype=bool), sidecar=sidecar)
    return path
