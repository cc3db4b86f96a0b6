"""File names of the output, the entities in BIDS' order."""

from pathlib import Path

from fmridecode.bids.labels import camel
from fmridecode.errors import UsageError

_ORDER = ("sub", "ses", "task", "run", "space", "res", "contrast", "stat", "desc")


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


def participant_file(
    output_dir: Path, suffix: str, extension: str, *, sub: str, ses: str = "", **entities: str
) -> Path:
    """Return the path of a participant's file, under ``sub-*/[ses-*/]func/``."""
    folder = output_dir / f"sub-{_label('sub', sub)}"
    if ses:
        folder /= f"ses-{_label('ses', ses)}"
    return folder / "func" / bids_name(suffix, extension, sub=sub, ses=ses, **entities)


def group_file(output_dir: Path, suffix: str, extension: str, *, desc: str) -> Path:
    """Return the path of a file over all participants, ``group_desc-*_*``, at the top."""
    return output_dir / f"group_desc-{camel(desc)}_{suffix}{extension}"


def _label(key: str, label: str) -> str:
    """Participants and sessions keep their label: another one would be somebody else."""
    if key not in ("sub", "ses"):
        return camel(label)
    if not (label.isascii() and label.replace("+", "").isalnum()):
        raise UsageError(
            f"The label {key}-{label!r} is not made of letters and digits; rename it in the input."
        )
    return label
