"""Pages, figures and methods text, made from finished derivatives only."""

from fmridecode.report.build import build_group, build_participant
from fmridecode.report.citation import write_citation
from fmridecode.report.summary_file import write_summary

__all__ = ["build_group", "build_participant", "write_citation", "write_summary"]
