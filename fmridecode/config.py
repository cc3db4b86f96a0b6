"""The whole configuration of a run: components composed, presets, TOML in and out."""

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import tomli_w

from fmridecode.bids.settings import InputConfig, SpaceConfig
from fmridecode.bundles.settings import GivenConfig
from fmridecode.core.settings import (
    AUTO,
    HESSIAN,
    Auto,
    EvaluationConfig,
    ModelConfig,
    SaliencyConfig,
    SplitConfig,
    TrainingConfig,
)
from fmridecode.errors import NoInputError, UsageError
from fmridecode.options import option

EXECUTION = "Execution"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionConfig:
    """Where and how a run is carried out; nothing here changes a result but the seed."""

    device: str = option(
        "auto", "--device", help="auto, cpu, cuda or cuda:N.", panel=EXECUTION, metavar="DEVICE"
    )
    random_seed: int = option(
        0, "--random-seed", help="Seed of all randomness.", panel=EXECUTION, metavar="N"
    )
    work_dir: str = option(
        "",
        "--work-dir",
        "-w",
        help="Folder for prepared maps; OUTPUT_DIR/work by default.",
        panel=EXECUTION,
        metavar="DIR",
    )
    nprocs: int = option(
        0,
        "--nprocs",
        help="Processes that prepare maps; 0 takes all cores.",
        panel=EXECUTION,
        metavar="N",
    )
    omp_nthreads: int = option(
        0,
        "--omp-nthreads",
        help="Threads of a process; 0 takes all cores.",
        panel=EXECUTION,
        metavar="N",
    )
    mem_mb: int = option(
        0,
        "--mem-mb",
        help="MB of memory that all processes may use together, GPU memory and file cache not "
        "counted: fewer processes, or a refusal. 0 fits the processes to what there is.",
        panel=EXECUTION,
        metavar="MB",
    )
    fold: tuple[int, ...] = option(
        (),
        "--fold",
        help="Train these folds only (level train); several such jobs may share OUTPUT_DIR.",
        panel=EXECUTION,
        metavar="N...",
    )
    checkpoint_minutes: float = option(
        5.0,
        "--checkpoint-minutes",
        help="Minutes of training that a killed run may lose, at most.",
        panel=EXECUTION,
        metavar="MINUTES",
    )
    stop_on_first_crash: bool = option(
        False,
        "--stop-on-first-crash",
        help="Stop at the first participant that fails instead of going on with the others.",
        panel=EXECUTION,
    )
    dry_run: bool = option(
        False,
        "--dry-run",
        help="Print which maps would be used and why others would not, and stop.",
        panel=EXECUTION,
    )
    reports_only: bool = option(
        False, "--reports-only", help="Only write the HTML pages anew.", panel=EXECUTION
    )

    def __post_init__(self) -> None:
        for name in ("nprocs", "omp_nthreads", "mem_mb"):
            if getattr(self, name) < 0:
                flag = "--" + name.replace("_", "-")
                raise UsageError(f"{flag} is {getattr(self, name)}; expected 0 or more.")
        if any(fold < 1 for fold in self.fold):
            raise UsageError(f"--fold is {min(self.fold)}; folds are counted from 1.")
        if not self.checkpoint_minutes >= 0:
            raise UsageError(
                f"--checkpoint-minutes is {self.checkpoint_minutes}; expected 0 or more."
            )
        if self.random_seed < 0:
            raise UsageError(f"--random-seed is {self.random_seed}; expected 0 or more.")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Everything that decides a run besides its folders and its level."""

    input: InputConfig = field(default_factory=InputConfig)
    given: GivenConfig = field(default_factory=GivenConfig)
    space: SpaceConfig = field(default_factory=SpaceConfig)
    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    split: SplitConfig = field(default_factory=SplitConfig)
    saliency: SaliencyConfig = field(default_factory=SaliencyConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    execution: ExecutionConfig = field(default_factory=ExecutionConfig)

    def __post_init__(self) -> None:
        if not self.given.model and (not self.space.space or not self.space.resolution):
            raise UsageError(
                "--space and --resolution may only be left to the decoder that --model names; "
                "give both."
            )
        if HESSIAN in self.saliency.methods and not self.evaluation.atlas:
            raise UsageError(
                "--saliency hessian says how parcels interact: name their atlas with --atlas, one "
                "of TemplateFlow such as Schaefer2018:100Parcels7Networks, or a NIfTI file with a "
                ".tsv (index, name) beside it."
            )


COMPONENTS: dict[str, type] = {
    "input": InputConfig,
    "given": GivenConfig,
    "space": SpaceConfig,
    "model": ModelConfig,
    "training": TrainingConfig,
    "split": SplitConfig,
    "saliency": SaliencyConfig,
    "evaluation": EvaluationConfig,
    "execution": ExecutionConfig,
}

Values = Mapping[str, Mapping[str, Any]]
"""Values by component and field; what is missing keeps its default."""

PresetName = Literal["default", "paper", "quick"]

FEW_MAPS: Values = {
    "model": {
        "filters": (8,),
        "halvings": 1,
        "gain": 1.0,
        "pooling": "stride",
        "coarsen_from": 48,
        "linear_path": True,
        "squash": 5.0,
        "dense_init": "zero",
        "ensemble": 3,
    },
    "training": {
        "epochs": 32,
        "learning_rate": 3e-4,
        "voxel_rate": 1.0,
        "schedule": "cosine",
        "l2": 0.0,
    },
}
"""A decoder for tens of participants: see "Few maps" in the README for what was tried."""

PRESETS: dict[str, Values] = {
    "default": FEW_MAPS,
    "paper": {
        "space": {"space": "MNI152NLin6Asym", "resolution": 2, "zscore": "volume"},
        "split": {"holdout": True, "group_column": "family"},
    },
    "quick": {
        "space": {"resolution": 8},
        "model": {**FEW_MAPS["model"], "ensemble": 1},
        "training": {**FEW_MAPS["training"], "epochs": 24},
        "split": {"folds": 3},
    },
}
"""The paper's values are the components' own defaults; `default` is for tens of participants.

`paper` is the run on a data set that ``fmridecode-tools hcp`` wrote: on HCP's grid, z-scored over
the whole of it, families together.
"""


NUMBER: Values = {"training": {"epochs": 128}}
"""With ``--target-column``, what `default` and `quick` give instead: a number of few participants
is learnt more slowly than classes, and the validation participants end it in time."""

OWN_GRID: Values = {"space": {"space": "", "resolution": 0}}
"""With ``--model``, the grid is the decoder's; what is asked for in so many words, is added."""


def compose_run(preset: str, *layers: Values) -> RunConfig:
    """Build the config of a run from a preset and what was asked for.

    Raises
    ------
    UsageError
        As `compose`.
    """
    given = any(dict(layer.get("given", {})).get("model") for layer in layers)
    number = any(dict(layer.get("input", {})).get("target_column") for layer in layers)
    instead = [*([NUMBER] if number and preset != "paper" else []), *([OWN_GRID] if given else [])]
    return compose(preset_values(preset), *instead, *layers)


def compose(*layers: Values) -> RunConfig:
    """Build a config from layers of values, the later ones winning.

    Raises
    ------
    UsageError
        For a component or field that does not exist, or a value that is out of range.
    """
    merged: dict[str, dict[str, Any]] = {name: {} for name in COMPONENTS}
    for layer in layers:
        for component, values in layer.items():
            _check_name(component, list(COMPONENTS), "table")
            if not isinstance(values, Mapping):
                raise UsageError(f"[{component}] in the config is not a table.")
            known = [each.name for each in fields(COMPONENTS[component])]
            for name, value in values.items():
                _check_name(name, known, f"key of [{component}]")
                merged[component][name] = tuple(value) if isinstance(value, list) else value
    return RunConfig(**{name: _make(name, values) for name, values in merged.items()})


def _make(component: str, values: dict[str, Any]) -> Any:
    defaults = {each.name: each.default for each in fields(COMPONENTS[component])}
    hints = get_type_hints(COMPONENTS[component])
    for name, value in values.items():
        if value == AUTO and Auto in get_args(hints[name]):
            continue
        wanted = type(defaults[name])
        if wanted is float and type(value) is int:
            values[name] = float(value)
        elif type(value) is not wanted:
            raise UsageError(
                f"{name} of [{component}] is {value!r}; expected a value of type "
                f"{wanted.__name__.replace('tuple', 'list')}."
            )
        elif wanted is tuple:
            _check_elements(component, name, value, hints[name])
    made = COMPONENTS[component](**values)
    for name, value in values.items():  # those that the component does not check itself
        if get_origin(hints[name]) is Literal and value not in get_args(hints[name]):
            choices = ", ".join(map(str, get_args(hints[name])))
            raise UsageError(f"{name} of [{component}] is {value!r}; choose one of {choices}.")
    return made


def _check_elements(component: str, name: str, values: Any, hint: Any) -> None:
    wanted = int if get_args(hint)[0] is int else str
    for value in values:
        if type(value) is not wanted:
            raise UsageError(
                f"{name} of [{component}] holds {value!r}; expected values of type "
                f"{wanted.__name__}."
            )


def _check_name(name: str, known: list[str], kind: str) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else "known are " + ", ".join(known) + "."
        raise UsageError(f"{name!r} is not a known {kind} of the config; {hint}")


def preset_values(name: str) -> Values:
    """Return the values of a preset by name."""
    if name not in PRESETS:
        raise UsageError(f"--preset is {name!r}; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]


def read_toml(path: Path) -> Values:
    """Read the values of a config file; its ``[run]`` table is for the record only."""
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise NoInputError(f"--config-file {path} does not exist.") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise NoInputError(f"--config-file {path} cannot be read: {problem}.") from None
    except tomllib.TOMLDecodeError as problem:
        raise UsageError(f"--config-file {path} is not valid TOML: {problem}.") from None
    values.pop("run", None)
    return values


def to_toml(config: RunConfig, run: Mapping[str, Any]) -> str:
    """Return the resolved config as TOML, with a ``[run]`` table about the run in front."""
    return tomli_w.dumps({"run": dict(run), **asdict(config)})
