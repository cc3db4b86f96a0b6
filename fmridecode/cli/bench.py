"""``fmridecode-tools bench``: this machine's speed, beside what a user would otherwise write."""

import logging
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class Part(StrEnum):
    """What to measure."""

    core = "core"
    stride1 = "stride1"
    participant = "participant"
    preparing = "preparing"


def bench(
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    json: Annotated[
        Path | None, typer.Option(help="Also write the measurements to this file.")
    ] = None,
    part: Annotated[
        list[Part] | None,
        typer.Option(
            help="core: training and saliency, which need torch, numpy and scipy only; "
            "participant, preparing: from files to files, on the CPU; stride1: one step of the "
            "paper's own network, in about 8 GiB. May be repeated; without it, all but "
            "stride1."
        ),
    ] = None,
    repeats: Annotated[
        int, typer.Option(min=1, help="Runs of each program; the median counts.")
    ] = 5,
    only: Annotated[
        str, typer.Option(help="Of the core, only what has this in its name.", metavar="TEXT")
    ] = "",
    smoothgrad_samples: Annotated[
        int, typer.Option(min=1, help="Noisy copies; 140 passes of a batch at 20 and 7 classes.")
    ] = 20,
    small: Annotated[
        bool, typer.Option("--small", help="Tiny maps, to see that it works; not to be quoted.")
    ] = False,
    profile: Annotated[
        bool,
        typer.Option("--profile", help="Say where the time of a participant run goes, instead."),
    ] = False,
) -> None:
    """Time training, saliency and whole runs beside reference programs with the same output.

    Both run in turn in one process. Prints seconds, their ratio, the floor that the machine's
    arithmetic or the work on files sets, and the peak of memory.
    """
    import tempfile

    from fmridecode.atomic import write_atomically
    from fmridecode.config import ExecutionConfig
    from fmridecode.experiments.benchmarks.table import as_json, markdown
    from fmridecode.pipeline.bench import run as runs
    from fmridecode.pipeline.device import choose_device

    logging.getLogger("fmridecode").setLevel(logging.WARNING)  # of the runs that are timed
    where = choose_device(ExecutionConfig(device=device))

    def say(line: str) -> None:
        typer.echo(line, err=True)

    with tempfile.TemporaryDirectory(prefix="fmridecode-bench-") as folder:
        if profile:
            typer.echo(runs.profiled(Path(folder), small=small))
            return
        parts = part or [Part.core, Part.participant, Part.preparing]
        measured = runs.run(
            tuple(each.value for each in parts),
            Path(folder),
            where,
            repeats=repeats,
            small=small,
            only=only,
            samples=smoothgrad_samples,
            say=say,
        )
    typer.echo(markdown(measured))
    if json is not None:
        write_atomically(json, (as_json(measured) + "\n").encode())
