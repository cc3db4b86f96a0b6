"""Run the command line as ``python -m fmridecode``."""

from fmridecode.cli.main import run

run()
