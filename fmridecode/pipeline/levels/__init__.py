"""The three levels of a run: train, participant, group."""

from fmridecode.pipeline.levels.run import run_level

__all__ = ["run_level"]
