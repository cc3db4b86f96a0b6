"""Run the core's comparisons as ``python -m fmridecode.experiments.benchmarks``."""

import argparse
import sys
from pathlib import Path

import torch

from fmridecode.experiments.benchmarks.cases import SIZES, Size
from fmridecode.experiments.benchmarks.run import run_core, run_paper_step
from fmridecode.experiments.benchmarks.table import as_json, markdown


def main() -> None:
    """Parse the command line, run, print, and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--json", type=Path, default=None, metavar="FILE")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--grid", type=int, nargs=3, default=None, metavar=("X", "Y", "Z"))
    parser.add_argument("--batch", type=int, default=None)
    parser.add_argument(
        "--stride1", action="store_true", help="a step of cnn-stride1 instead of all else"
    )
    given = parser.parse_args()
    usual = SIZES[given.device]
    size = Size(
        grid=tuple(given.grid or usual.grid),
        batch=given.batch or usual.batch,
    )
    run = run_paper_step if given.stride1 else run_core
    measured = run(
        size,
        torch.device(given.device),
        repeats=given.repeats,
        say=lambda line: print(line, file=sys.stderr),  # noqa: T201
    )
    sys.stdout.write(markdown(measured) + "\n")
    if given.json:
        given.json.write_text(as_json(measured) + "\n", encoding="utf-8")


main()
