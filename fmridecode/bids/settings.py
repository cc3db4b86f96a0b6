"""What can be set about the input, the classes and the space; light, for a fast ``--help``."""

from dataclasses import dataclass
from typing import Literal

from fmridecode.errors import UsageError
from fmridecode.options import option

FILTERS = "Which maps"
SPACE = "Space"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputConfig:
    """Which maps are read, and what makes a class."""

    participant_label: tuple[str, ...] = option(
        (),
        "--participant-label",
        help="Participants to process, with or without `sub-`; all by default.",
        panel=FILTERS,
        metavar="LABEL...",
    )
    session_label: tuple[str, ...] = option(
        (),
        "--session-label",
        help="Sessions to use, with or without `ses-`; all by default.",
        panel=FILTERS,
        metavar="LABEL...",
    )
    task_id: tuple[str, ...] = option(
        (), "--task-id", help="Tasks to use; all by default.", panel=FILTERS, metavar="TASK..."
    )
    label_by: Literal["task", "contrast", "task+contrast"] = option(
        "task",
        "--label-by",
        help="What makes a class: the task, the contrast, or both.",
        panel=FILTERS,
    )
    classes: str = option(
        "",
        "--classes",
        help="TOML file that says which tasks and contrasts make which class, or the name of a "
        "shipped one such as hcp7; overrides --label-by.",
        panel=FILTERS,
        metavar="FILE",
    )
    target_column: str = option(
        "",
        "--target-column",
        help="Decode this number of each participant instead of classes: a column of "
        "participants.tsv, such as age. Participants without a number are left out.",
        panel=FILTERS,
        metavar="NAME",
    )
    stat: str = option(
        "auto",
        "--stat",
        help="Statistic of the maps (`stat-` entity), one for the whole data set; "
        "auto takes z, t, effect, in that order, if every participant has it.",
        panel=FILTERS,
    )
    derivatives: tuple[str, ...] = option(
        (),
        "--derivatives",
        "-d",
        help="Derivative data set with the maps, when BIDS_DIR is a raw one.",
        panel=FILTERS,
        metavar="NAME=PATH...",
    )
    bids_filter_file: str = option(
        "",
        "--bids-filter-file",
        help='JSON with pybids filters, under the key "statmap" or at the top level.',
        panel=FILTERS,
        metavar="FILE",
    )
    bids_database_dir: str = option(
        "",
        "--bids-database-dir",
        help="Folder for pybids' index; rebuilt when the data set has changed.",
        panel=FILTERS,
        metavar="DIR",
    )
    skip_bids_validation: bool = option(
        False,
        "--skip-bids-validation",
        help="Accept a data set without a proper dataset_description.json.",
        panel=FILTERS,
    )
    max_missing: float = option(
        0.5,
        "--max-missing",
        help="Largest share of the brain mask in which a map may have no data.",
        panel=FILTERS,
    )

    exclude_outliers: bool = option(
        False,
        "--exclude-outliers",
        help="Leave out participants with a map that logs/plausibility.tsv calls an outlier.",
        panel=FILTERS,
    )

    def __post_init__(self) -> None:
        if not 0 <= self.max_missing <= 1:
            raise UsageError(
                f"--max-missing is {self.max_missing}; it is a share and lies between 0 and 1."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SpaceConfig:
    """The grid on which maps are decoded and written."""

    space: str = option(
        "MNI152NLin2009cAsym",
        "--space",
        help="TemplateFlow template whose grid is used.",
        panel=SPACE,
        metavar="TEMPLATE",
    )
    resolution: int = option(
        2, "--resolution", help="Voxel size in mm: 1, 2, 4 or 8.", panel=SPACE, metavar="MM"
    )
    input_space: str = option(
        "",
        "--input-space",
        help="Space of the maps where their names have no `space-` entity.",
        panel=SPACE,
        metavar="TEMPLATE",
    )
    force_space: bool = option(
        False,
        "--force-space",
        help="Treat maps of another space as if they were in --space; recorded in every sidecar.",
        panel=SPACE,
    )
    zscore: Literal["brain", "volume"] = option(
        "brain",
        "--zscore",
        help="Voxels that the z-score of a map covers: the brain mask, or the whole volume "
        "as in the authors' code.",
        panel=SPACE,
    )

    def __post_init__(self) -> None:
        if self.resolution not in (0, 1, 2, 4, 8):  # 0: that of the decoder
            raise UsageError(f"--resolution is {self.resolution}; choose 1, 2, 4 or 8 (mm).")
