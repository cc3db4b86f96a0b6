"""File names of the output, the entities in BIDS' order."""

from pathlib import Path

from fmridecode.bids.labels import camel
from fmridecode.core.grid import Grid
from fmridecode.errors import UsageError

_ORDER = ("sub", "ses", "task", "run", "space", "seg", "res", "contrast", "stat", "desc")


def bids_name(suffix: str, extension: str, **entities: str) -> str:
    """Build a file name; empty entities are left out.

    Labels are made of letters and digits only, so that none can lead out of the folder.

    Raises
    ------
    UsageError
        A label has no letter or digit.

    Examples
    --------
    >>> bids_name("saliency", ".nii.gz", sub="01", task="pain", desc="gradientToHeat")
    'sub-01_task-pain_desc-gradientToHeat_saliency.nii.gz'
    """
    unknown = set(entities) - set(_ORDER)
    if unknown:
        raise ValueError(f"unknown entities {sorted(unknown)}; known are {_ORDER}")
    parts = [f"{key}-{_label(key, entities[key])}" for key in _ORDER if entities.get(key)]
    return "_".join([*parts, suffix]) + extension


def map_path(
    output_dir: Path,
    *,
    participant: str,
    session: str,
    task: str,
    contrast: str,
    grid: Grid,
    description: str,
    suffix: str = "saliency",
    segmentation: str = "",
    extension: str = ".nii.gz",
) -> Path:
    """Return where a map, or a table of one, goes, under ``sub-*/[ses-*/]func/``."""
    folder = output_dir / f"sub-{_label('sub', participant)}"
    if session:
        folder /= f"ses-{_label('ses', session)}"
    name = bids_name(
        suffix,
        extension,
        sub=participant,
        ses=session,
        task=task,
        space=grid.space,
        seg=segmentation,
        res=grid.resolution,
        contrast=contrast,
        desc=description,
    )
    return folder / "func" / name


def table_path(output_dir: Path, participant: str, name: str) -> Path:
    """Return where a table of all sessions of a participant goes, under ``sub-*/func/``.

    Parameters
    ----------
    name
        Such as ``desc-decoding_predictions``.
    """
    label = _label("sub", participant)
    return output_dir / f"sub-{label}" / "func" / f"sub-{label}_{_safe(name)}.tsv"


def group_path(output_dir: Path, name: str) -> Path:
    """Return where a table over all participants goes: at the top, ``group_*``."""
    return output_dir / f"group_{_safe(name)}.tsv"


def _safe(name: str) -> str:
    """Make sure that the end of a name is ``desc-label_suffix``."""
    description, _, suffix = name.removeprefix("desc-").rpartition("_")
    return f"desc-{camel(description)}_{camel(suffix)}"


def _label(key: str, label: str) -> str:
    """Participants and sessions keep their label: another one would be somebody else."""
    if key not in ("sub", "ses"):
        return camel(label)
    if not (label.isascii() and label.replace("+", "").isalnum()):
        raise UsageError(
            f"The label {key}-{label!r} is not made of letters and digits; rename it in the input."
        )
    return label
