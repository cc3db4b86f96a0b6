"""Make a BIDS derivative data set from a download of the Human Connectome Project, HCP 1200."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import nibabel as nib
import numpy as np
import pandas as pd

from fmridecode import __version__
from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.derivatives import write_table
from fmridecode.bids.hcp_tree import TASKS, HcpTask, find_maps, find_participants
from fmridecode.bids.images import read_image
from fmridecode.bids.labels import listing
from fmridecode.bids.links import Link, place
from fmridecode.bids.resampling import present_in
from fmridecode.bids.restricted import read_families
from fmridecode.bids.saliency_files import compressed
from fmridecode.errors import BadDataError, CannotCreateError, NoInputError, UsageError
from fmridecode.progress import progress

log = logging.getLogger(__name__)

SPACE = "MNI152NLin6Asym"
FAMILY = "family"
GENERATOR = "fmridecode-tools hcp"
_STAT = {"cope": "effect", "zstat": "z"}
_DICTIONARY = {
    "participant_id": "Participant; the number that HCP gives.",
    FAMILY: "Family, from the user's own restricted data; n/a where not known. Restricted data of "
    "HCP must not be passed on.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class HcpConfig:
    """How to read a download.

    Parameters
    ----------
    level2
        ``s2`` or ``s4``: the smoothing of the second-level maps, in mm.
    stat
        ``cope`` or ``zstat``.
    link
        How the maps come to the output.
    restricted
        The user's own restricted CSV, which names the families.
    family_column
        Its column with the families.
    """

    level2: str = "s4"
    stat: str = "cope"
    link: Link = "symlink"
    restricted: Path | None = None
    family_column: str = "Family_ID"

    def __post_init__(self) -> None:
        for flag, value, known in (
            ("--level2", self.level2, ("s2", "s4")),
            ("--stat", self.stat, tuple(_STAT)),
            ("--link", self.link, get_args(Link)),
        ):
            if value not in known:
                raise UsageError(f"{flag} is {value!r}; choose {' or '.join(known)}.")


def import_hcp(hcp_dir: Path, out: Path, config: HcpConfig) -> int:
    """Write the seven classes of Table 1 of every participant, and return how many maps there are.

    Missing tasks are logged. The input is only read.

    Raises
    ------
    NoInputError
        HCP_DIR has no participant or no such map.
    CannotCreateError, ReadWriteError
        The output is another data set, or cannot be written.
    BadDataError
        After all others are done: maps that are missing though the task is there, or damaged.
    """
    participants = find_participants(hcp_dir)
    families = read_families(config.restricted, config.family_column) if config.restricted else {}
    _start(hcp_dir, out, config)
    n_maps, missing, problems = 0, dict[str, list[str]](), list[str]()
    with progress("Linking maps", len(participants) * len(TASKS)) as advance:
        for label, folders in participants.items():
            for task in TASKS:
                try:
                    made = _place_class(label, folders, task, out, config)
                except (BadDataError, NoInputError) as error:
                    problems.append(f"sub-{label}: {error}")
                else:
                    n_maps += made
                    if not made:
                        missing.setdefault(task.task, []).append(f"sub-{label}")
                advance()
    for name, lacking in missing.items():
        log.warning("Task %s is missing for %s", name, listing(lacking))
    if not n_maps:
        what = f"{config.stat} map at level 2, {config.level2}"
        raise NoInputError(
            f"No {what}, is in the {len(participants)} participants of {hcp_dir}"
            + (f"; the first problem: {problems[0]}" if problems else "; see --level2 and --stat.")
        )
    _write_participants(out, list(participants), families)
    if problems:
        raise BadDataError(
            f"{len(problems)} maps could not be taken over, {n_maps} are done. "
            + " ".join(problems)
        )
    return n_maps


def _place_class(
    label: str, folders: Sequence[Path], task: HcpTask, out: Path, config: HcpConfig
) -> int:
    sources = find_maps(folders, task, smoothing=config.level2, stat=config.stat)
    if not sources:
        return 0
    name = (
        f"sub-{label}_task-{task.task}_space-{SPACE}_res-2_contrast-{task.label}"
        f"_stat-{_STAT[config.stat]}_statmap"
    )
    folder = out / f"sub-{label}" / "func"
    path = folder / f"{name}.nii.gz"
    if len(sources) == 1:
        read_image(sources[0])
        place(sources[0], path, config.link)
    else:
        write_atomically(path, _mean(sources))
    names = [each for _, each in task.numbered(config.stat)]
    said = {
        "Description": ("Mean of " if len(sources) > 1 else "Contrast ") + ", ".join(names),
        "Sources": [each.as_uri() for each in sources],
        "Smoothing": f"{config.level2[1:]} mm (second-level folder {config.level2})",
        "SpatialReference": "HCP: MNI152NLin6Asym, 2 mm",
    }
    write_atomically(folder / f"{name}.json", (json.dumps(said, indent=2) + "\n").encode())
    return 1


def _mean(sources: Sequence[Path]) -> bytes:
    """Return the mean as compressed NIfTI; 0 where one of the maps has no data."""
    images = [read_image(path) for path in sources]
    first, affine = images[0]
    for (data, other), path in zip(images, sources, strict=True):
        if data.shape != first.shape or not np.allclose(other, affine, atol=1e-4):
            raise BadDataError(
                f"{path} lies on another grid than {sources[0]}; download it again."
            )
    there = np.all([present_in(data) for data, _ in images], axis=0)
    mean = np.zeros(first.shape, dtype=np.float32)
    mean[there] = np.mean([data[there] for data, _ in images], axis=0, dtype=np.float64)
    image = nib.Nifti1Image(mean, affine)
    image.set_sform(affine, code=4)
    image.set_qform(affine, code=4)
    image.header.set_xyzt_units(xyz="mm")
    return compressed(image.to_bytes())


def _start(hcp_dir: Path, out: Path, config: HcpConfig) -> None:
    """Describe the data set; an output that is another one is left alone."""
    described = out / "dataset_description.json"
    if hcp_dir.resolve() == out.resolve():
        raise UsageError(f"BIDS_OUT {out} is HCP_DIR, which is never written to; name another.")
    if out.exists() and any(out.iterdir()) and not _ours(described):
        raise CannotCreateError(f"{out} is not empty: name a new folder for the data set.")
    said = {
        "Name": "HCP 1200, seven task contrasts",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": GENERATOR, "Version": __version__}],
        "SourceDatasets": [{"URL": hcp_dir.resolve().as_uri()}],
    }
    readme = (
        "# HCP 1200\n\nSeven contrasts of each participant (McClure et al. 2020, Table 1), linked "
        f"or averaged by `{GENERATOR}`: second-level {config.stat} maps, {config.level2}.\n\n"
        "The Open Access terms of the Human Connectome Project apply; if participants.tsv names "
        "families, the Restricted Data terms apply to it as well.\n"
    )
    for name, text in (
        ("dataset_description.json", json.dumps(said, indent=2) + "\n"),
        ("README.md", readme),
        (".bidsignore", "*_statmap.nii.gz\n*_statmap.json\n"),
    ):
        write_atomically(out / name, text.encode())


def _ours(described: Path) -> bool:
    try:
        generators = json.loads(described.read_text(encoding="utf-8"))["GeneratedBy"]
        return any(each["Name"] == GENERATOR for each in generators)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write_participants(out: Path, labels: Sequence[str], families: Mapping[str, str]) -> None:
    lacking = [label for label in labels if label not in families]
    if families and lacking:
        log.warning("The restricted data name no family of %s", listing(lacking))
    rows = [{"participant_id": f"sub-{each}", FAMILY: families.get(each)} for each in labels]
    write_table(out / "participants.tsv", pd.DataFrame(rows, dtype=object), _DICTIONARY)
