"""The HTML pages alone, from finished derivatives; imports no torch."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from fmridecode.bids.labels import listing, without_prefix
from fmridecode.bids.templateflow import TemplateFlow
from fmridecode.config import RunConfig
from fmridecode.errors import NoInputError, NothingMatchedError
from fmridecode.pipeline.group.endings import PREDICTIONS
from fmridecode.pipeline.memory import check_memory, n_processes, work_of
from fmridecode.pipeline.regression.endings import PREDICTIONS as NUMBERS
from fmridecode.progress import progress
from fmridecode.report import build_group, build_participant

log = logging.getLogger(__name__)


def reports_only(level: str, output_dir: Path, config: RunConfig) -> None:
    """Write the pages of a level anew.

    Raises
    ------
    UsageError
        ``--mem-mb`` is too little.
    NoInputError
        OUTPUT_DIR is not a folder.
    NothingMatchedError
        It has no predictions of those asked for.
    """
    if not output_dir.is_dir():
        raise NoInputError(f"{output_dir} is not a folder: there is nothing to report on.")
    work = work_of(config)
    check_memory(config, work)
    if level == "group":
        write_group_page(output_dir)
        return
    endings = (PREDICTIONS, NUMBERS)
    tables = sorted(p for each in endings for p in output_dir.glob(f"sub-*/func/*_{each}"))
    labels = [each.parent.parent.name.removeprefix("sub-") for each in tables]
    asked = [without_prefix(each, "sub-") for each in config.input.participant_label]
    if not labels or (missing := [each for each in asked if each not in labels]):
        who = listing(missing) if labels else "anyone"
        raise NothingMatchedError(
            f"{output_dir} has no predictions of {who}: run the participant level first."
        )
    write_pages(output_dir, asked or labels, n_processes(config, work))


def write_group_page(output_dir: Path) -> None:
    """Write ``group.html``, with the template's anatomy under its slices where it is there."""
    names = [path.name for path in sorted(output_dir.glob("group_*_saliency.nii.gz"))]
    spaces = [found[1] for name in names if (found := re.search(r"_space-([^_]+)_", name))]
    flow = TemplateFlow(online=False)
    underlays = (flow.underlay(space, label) for space in spaces[:1] for label in ("02", "01"))
    underlay = next((each for each in underlays if each is not None), None)
    log.info("Page: %s", build_group(output_dir, underlay))


def write_pages(output_dir: Path, participants: Sequence[str], nprocs: int) -> None:
    """Write the participants' pages, in parallel: drawing brains takes seconds a page."""
    from joblib import Parallel, delayed

    jobs = (delayed(build_participant)(output_dir, who) for who in participants)
    n_jobs = max(1, min(nprocs, len(participants)))
    with progress("Writing pages", len(participants)) as advance:
        for _ in Parallel(n_jobs=n_jobs, return_as="generator")(jobs):
            advance()
    log.info("Pages: %s", output_dir / "sub-*.html")
