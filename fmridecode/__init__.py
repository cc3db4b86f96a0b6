"""Decode tasks from fMRI contrast maps and map where the information is."""

from importlib.metadata import version

__version__ = version("fmridecode")
