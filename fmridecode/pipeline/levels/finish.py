"""What every run over participants ends with."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fmridecode.config import RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.errors import BadDataError
from fmridecode.pipeline.memory import n_processes, work_of_maps
from fmridecode.pipeline.participant.panel import choose_typical
from fmridecode.pipeline.preparing.exclusions import record_exclusions
from fmridecode.pipeline.preparing.prepare import Prepared
from fmridecode.pipeline.reports import write_pages
from fmridecode.report.words import main_method


def panels_to_show(
    done: Sequence[str], maps: MapSet, output_dir: Path, config: RunConfig
) -> dict[int, str]:
    """Choose whose panels to show, once everyone is done; nobody where some were asked for."""
    if config.evaluation.panels != "typical" or config.input.participant_label:
        return {}
    method = main_method(config.saliency.map_methods)
    return choose_typical(output_dir, done, maps.class_names, method)


def left_out(prepared: Prepared) -> dict[str, str]:
    """Return why each participant without usable maps is left out."""
    everyone = (*prepared.failures, *prepared.excluded)
    return {each.participant: each.message for each in everyone}


def finish(
    prepared: Prepared, skipped: Mapping[str, str], output_dir: Path, config: RunConfig
) -> None:
    """Record who was left out, write the pages of the others, and raise what failed."""
    excluded = {**left_out(prepared), **skipped}
    usable = set(prepared.maps.participants) - set(excluded)
    done = [who for who in prepared.asked if who in usable]
    record_exclusions(output_dir, excluded, done=done)
    write_pages(output_dir, done, n_processes(config, work_of_maps(prepared.maps)))
    raise_failures(prepared)


def raise_failures(prepared: Prepared) -> None:
    """Raise, in one line, what failed of the participants that were asked for."""
    failed = [each for each in prepared.failures if each.participant in prepared.asked]
    if failed:
        listed = "; ".join(f"sub-{each.participant}: {each.message}" for each in failed)
        raise BadDataError(
            f"{len(failed)} of {len(prepared.asked)} participants failed, the others are done. "
            f"{listed}"
        )
