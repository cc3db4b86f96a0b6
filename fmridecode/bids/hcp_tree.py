"""Where a download of the Human Connectome Project keeps its task contrasts.

Both layouts are known: ``tfMRI_T_hp200_s4_level2vol.feat/copeN.feat/stats/``, and the newer
``tfMRI_T_hp200_s4_level2.feat/StandardVolumeStats/copeN.feat/``, with or without ``stats/``.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fmridecode.bids.labels import listing, normal
from fmridecode.errors import BadDataError, NoInputError

RESULTS = Path("MNINonLinear", "Results")
_STATISTICS = {"cope": "cope1", "zstat": "zstat1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HcpTask:
    """One class of Table 1.

    Parameters
    ----------
    label
        Of the contrast, in the names of the output.
    copes, zstats
        Number and name of each map that is averaged, by statistic.
    """

    task: str
    label: str
    copes: tuple[tuple[int, str], ...]
    zstats: tuple[tuple[int, str], ...]

    def numbered(self, stat: str) -> tuple[tuple[int, str], ...]:
        """Return the copes that make the class for ``cope`` or ``zstat``."""
        return self.copes if stat == "cope" else self.zstats


def _one(task: str, label: str, number: int, name: str) -> HcpTask:
    return HcpTask(task=task, label=label, copes=((number, name),), zstats=((number, name),))


_GAMBLING = ((1, "PUNISH"), (2, "REWARD"))
_MOTOR = ((2, "LF"), (3, "LH"), (4, "RF"), (5, "RH"), (6, "T"))
TASKS = (
    _one("WM", "2BK0BK", 11, "2BK-0BK"),
    HcpTask(task="GAMBLING", label="punishRewardMean", copes=_GAMBLING, zstats=_GAMBLING),
    # FSL's own average of the five movements; a z map of the average is no average of z maps
    HcpTask(task="MOTOR", label="lfLhRfRhTMean", copes=((7, "AVG"),), zstats=_MOTOR),
    _one("LANGUAGE", "MATHSTORY", 3, "MATH-STORY"),
    _one("SOCIAL", "TOMRANDOM", 6, "TOM-RANDOM"),
    _one("RELATIONAL", "RELMATCH", 4, "REL-MATCH"),
    _one("EMOTION", "FACESSHAPES", 3, "FACES-SHAPES"),
)
"""The classes of McClure et al. 2020, Table 1, with the copes' numbers in HCP 1200."""


def find_participants(hcp_dir: Path) -> dict[str, tuple[Path, ...]]:
    """Return the folders of each participant that has results, by label.

    They may lie in HCP_DIR itself, as a synced bucket has them, or one folder down, as archives
    extracted to a folder each have them: then a participant has several. HCP_DIR may also be a
    participant's folder.

    Raises
    ------
    NoInputError
        The folder cannot be read or has no results.
    BadDataError
        The name of a participant's folder is no label.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    try:
        for folder in _candidates(hcp_dir.absolute()):
            if (folder / RESULTS).is_dir():
                found[folder.name].append(folder)
    except OSError as error:
        raise NoInputError(
            f"HCP_DIR: {error.filename or hcp_dir} cannot be read ({error.strerror}); check it."
        ) from error
    if not found:
        raise NoInputError(
            f"No folder {RESULTS} is in the folders of {hcp_dir}; name the folder that holds the "
            "participants' folders, such as 100307."
        )
    for label, folders in found.items():
        if not (label.isascii() and label.isalnum()):
            raise BadDataError(
                f"{folders[0]} has a name that is no participant label; rename it to letters and "
                "digits."
            )
    return {label: tuple(found[label]) for label in sorted(found)}


def _candidates(hcp_dir: Path) -> Iterator[Path]:
    yield hcp_dir
    for folder in _folders(hcp_dir):
        yield folder
        if not (folder / RESULTS).is_dir():
            yield from _folders(folder)


def _folders(folder: Path) -> Sequence[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir() and each.name[0] != ".")


def find_maps(
    folders: Sequence[Path], task: HcpTask, *, smoothing: str, stat: str
) -> tuple[Path, ...]:
    """Return the maps of a class; none when the participant did not do the task.

    Parameters
    ----------
    smoothing
        ``s2`` or ``s4``, of the second-level folders.
    stat
        ``cope`` or ``zstat``.

    Raises
    ------
    BadDataError
        The task is there, but one of its maps is not.
    """
    problem = ""
    for folder in folders:
        for feat in _second_levels(folder, task.task, smoothing):
            names = _contrast_names(feat)
            numbers = [_number(names, number, name) for number, name in task.numbered(stat)]
            found = [_map(feat, number, stat) for number in numbers]
            if all(found):
                return tuple(path for path in found if path)
            pairs = zip(numbers, found, strict=True)
            lacking = listing(f"cope{number}" for number, path in pairs if not path)
            problem = f"{feat} has no {_STATISTICS[stat]}.nii.gz of {lacking}"
    if problem:
        raise BadDataError(f"{problem}; download it again, or leave the participant out.")
    return ()


def _second_levels(folder: Path, task: str, smoothing: str) -> list[Path]:
    """Return the second-level folders of a task, those of volumes first."""
    results = folder / RESULTS / f"tfMRI_{task}"
    found = results.glob(f"tfMRI_{task}_hp*_{smoothing}_level2*.feat")
    return sorted(found, key=lambda each: ("level2vol" not in each.name, each.name))


def _contrast_names(feat: Path) -> list[str]:
    """Return the names of the copes, in order; none where the file is not there."""
    try:
        lines = (feat / "Contrasts.txt").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return []
    return [normal(line) for line in lines if line.strip()]


def _number(names: Sequence[str], number: int, name: str) -> int:
    """Return the number of a cope by its name, or the one that HCP 1200 has it under."""
    return names.index(normal(name)) + 1 if normal(name) in names else number


def _map(feat: Path, number: int, stat: str) -> Path | None:
    file = f"{_STATISTICS[stat]}.nii.gz"
    for above in (feat, feat / "StandardVolumeStats"):
        for path in (
            above / f"cope{number}.feat" / "stats" / file,
            above / f"cope{number}.feat" / file,
        ):
            if path.is_file():
                return path
    return None
