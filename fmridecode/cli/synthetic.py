"""``fmridecode-tools synthetic`` and ``synthetic-sweep``."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from fmridecode.errors import CannotCreateError, ReadWriteError
from fmridecode.experiments.synthetic_settings import PRESETS, AttackName, PresetName

if TYPE_CHECKING:
    from pandas import DataFrame

Out = Annotated[Path, typer.Argument(help="Folder for the results; made if missing.")]
Preset = Annotated[
    PresetName,
    typer.Option(help="paper: what the paper says; authors: what its published code does."),
]
Seeds = Annotated[int, typer.Option(min=1, help="Repetitions, each with its own data.")]
Seed = Annotated[int, typer.Option(min=0, help="The first seed; the others follow it.")]
Training = Annotated[
    AttackName, typer.Option(help="Adversarial training: as section 3.1, or by Algorithm 1.")
]
L2 = Annotated[
    Optional[float],  # noqa: UP045
    typer.Option("--l2", help="Coefficient of the squared weights instead of the preset's."),
]
Updates = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option(min=1, help="Full-batch updates instead of the preset's."),
]
Processes = Annotated[
    Optional[int],  # noqa: UP045
    typer.Option("--nprocs", min=1, help="Processes; all cores by default. Changes no result."),
]


def synthetic(
    out: Out,
    preset: Preset = "paper",
    seeds: Seeds = 5,
    training: Training = "pgd",
    l2: L2 = None,
    updates: Updates = None,
    seed: Seed = 0,
    nprocs: Processes = None,
) -> None:
    """Compare seven saliency methods on images whose informative pixels are known."""
    config = PRESETS[preset].with_recipe(training=training, l2=l2, updates=updates)
    settings = {"preset": preset, "seeds": seeds, "seed": seed, **asdict(config)}
    with _writing(out):
        _write_settings(out / "synthetic.toml", settings)
    from fmridecode.experiments import figures, synthetic_tables
    from fmridecode.experiments.parallel import run_all
    from fmridecode.experiments.synthetic import jobs, run
    from fmridecode.progress import progress

    todo = jobs(config, range(seed, seed + seeds))
    with progress("Synthetic experiment", len(todo)) as step:
        found = run_all(run, todo, processes=nprocs or _cores(), on_done=step)
    scores = [each for of_job in found for each in of_job]
    table = synthetic_tables.interpretability(config, scores)
    summary = synthetic_tables.summary(config, table)
    with _writing(out):
        _write_table(out / "interpretability.tsv", table)
        _write_table(out / "summary.tsv", summary)
        _write_table(out / "tests.tsv", synthetic_tables.pairwise_tests(config, scores))
        figures.save(figures.figure1a(scores), out / "figure1a.png")
        figures.save(figures.figure1b(scores), out / "figure1b.png")
    _show(summary.drop(columns=["preset", "seeds"]))


def synthetic_sweep(out: Out, seeds: Seeds = 3, seed: Seed = 0, nprocs: Processes = None) -> None:
    """Vary L2 and the number of updates, to see when adversarial training wins over plain L2.

    About ten minutes per seed on two cores.
    """
    with _writing(out):
        _write_settings(out / "sweep.toml", {"seeds": seeds, "seed": seed})  # fails early
    from fmridecode.experiments import figures
    from fmridecode.experiments.parallel import run_all
    from fmridecode.experiments.sweep import SweepConfig, jobs, run, selection, sweep_table
    from fmridecode.progress import progress

    config = SweepConfig()
    todo = jobs(config, range(seed, seed + seeds))
    with progress("Sweep", len(todo)) as step:
        table = sweep_table(run_all(run, todo, processes=nprocs or _cores(), on_done=step))
    chosen = selection(table)
    with _writing(out):
        _write_settings(out / "sweep.toml", {"seeds": seeds, "seed": seed, **asdict(config)})
        _write_table(out / "sweep.tsv", table)
        _write_table(out / "selection.tsv", chosen)
        figures.save(figures.sweep_figure(table, chosen), out / "sweep.png")
    _show(chosen)


def _cores() -> int:
    return os.cpu_count() or 1


@contextmanager
def _writing(out: Path) -> Iterator[None]:
    """Make the folder, and turn failures to make it or to write into it into our errors."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise CannotCreateError(
            f"Cannot make the folder {out}: {problem.strerror}; choose another one."
        ) from problem
    try:
        yield
    except PermissionError as problem:
        raise CannotCreateError(
            f"Cannot write {problem.filename}: {problem.strerror}; choose another folder."
        ) from problem
    except OSError as problem:
        raise ReadWriteError(
            f"Writing the results to {out} failed: {problem.strerror or problem}."
        ) from problem


def _write_settings(path: Path, settings: Mapping[str, Any]) -> None:
    import tomli_w

    path.write_text(tomli_w.dumps(settings), encoding="utf-8")


def _write_table(path: Path, table: "DataFrame") -> None:
    table.to_csv(path, sep="\t", index=False, na_rep="n/a", float_format="%.6g")


def _show(table: "DataFrame") -> None:
    typer.echo(table.to_string(index=False, na_rep="-", float_format="{:.3f}".format))
