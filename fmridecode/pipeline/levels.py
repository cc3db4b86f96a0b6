"""The three levels of a run: train, participant, group."""

import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from fmridecode import __version__
from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.datasets import map_datasets
from fmridecode.bids.derivatives import start_dataset
from fmridecode.bids.spaces import transform_between
from fmridecode.config import RunConfig, to_toml
from fmridecode.core.maps import MapSet
from fmridecode.errors import BadDataError, NoInputError, UsageError
from fmridecode.pipeline.cores import n_threads
from fmridecode.pipeline.device import choose_device, make_repeatable
from fmridecode.pipeline.given import (
    check_one_decoder,
    copies_on,
    find_given,
    record_given,
    settled,
    template_of,
    turns_of_given,
    warn_of_statistic,
)
from fmridecode.pipeline.group.maps import write_group_maps
from fmridecode.pipeline.group.reliability import write_map_reliability
from fmridecode.pipeline.group.stack import work_of_group
from fmridecode.pipeline.group.tables import write_group_tables
from fmridecode.pipeline.lease import lease
from fmridecode.pipeline.matching import matched, read_pairs
from fmridecode.pipeline.memory import check_memory, n_processes, work_of, work_of_maps, work_on
from fmridecode.pipeline.participant.explain import check_methods, check_target
from fmridecode.pipeline.participant.output import Output
from fmridecode.pipeline.participant.panel import choose_typical, write_typical_panels
from fmridecode.pipeline.participant.write import write_participants
from fmridecode.pipeline.preparing.exclusions import record_exclusions, write_exclusions
from fmridecode.pipeline.preparing.prepare import Prepared, prepare
from fmridecode.pipeline.reports import write_group_page, write_pages
from fmridecode.pipeline.training.baseline import baseline_trained
from fmridecode.pipeline.training.choose import sigma_chosen
from fmridecode.pipeline.training.folds import Folds, check_one_kind, find_folds
from fmridecode.pipeline.training.permuted import permuted_trained
from fmridecode.pipeline.training.refits import check_refits, refits_done
from fmridecode.pipeline.training.start import started
from fmridecode.pipeline.training.together import by_first, joined, n_started, shared_maps
from fmridecode.pipeline.training.train import histories_collected, train
from fmridecode.pipeline.turns import turns_of_folds
from fmridecode.report import write_citation, write_summary
from fmridecode.report.words import main_method

TRAINING = Path("models", ".training.lock")
"""In OUTPUT_DIR: whose turn it is to train."""

WAITING = (
    "Another run trains in this OUTPUT_DIR, and this one waits for its decoders. To spare an "
    "array the wait, run the level train first."
)


def run_level(level: str, bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    """Carry out one level.

    Raises
    ------
    FmridecodeError
        What stopped the run; or, after all other participants are done, those that failed.
    """
    _check_level(level, config)
    if config.execution.mem_mb:
        check_memory(config, work_of_group(output_dir) if level == "group" else work_of(config))
    if level == "group":
        _group(bids_dir, output_dir, config)
    elif config.given.model:
        _decode_with_given(level, bids_dir, output_dir, config)
    elif level == "train":
        _train(bids_dir, output_dir, config)
    else:
        _participant(bids_dir, output_dir, config)


def _check_level(level: str, config: RunConfig) -> None:
    if level == "train":
        return
    if config.execution.fold:
        raise UsageError(
            f"--fold is for the level train, not for {level}, which uses every fold's decoder."
        )
    if n_started() > 1:
        raise UsageError(
            f"torchrun started {n_started()} processes; they train together (level train), but "
            f"the level {level} runs in one: run it without torchrun."
        )


def _decode_with_given(level: str, bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    """Decode and explain with the decoder of ``--model``; nothing is trained."""
    if level == "train":
        raise UsageError(
            "--model names a decoder that is trained already, and the level train would train "
            "one; use the level participant."
        )
    device = choose_device(config.execution)
    make_repeatable(n_threads(config.execution))
    given = find_given(config, output_dir, device)
    check_one_decoder(output_dir, given)
    decoder, copies = given.decoder, copies_on(config, given.decoder)
    explaining = settled(config, given)
    check_memory(explaining, work_on(decoder.grid))
    check_methods(explaining.saliency.methods, decoder.model_config)
    check_target(explaining.saliency.target, tuple(each.name for each in decoder.classes))
    warped = None if copies is None else transform_between(decoder.grid.space, copies.grid.space)
    prepared = prepare(
        explaining,
        bids_dir,
        output_dir,
        only_asked=True,
        onto=template_of(decoder),
        stat=decoder.origin.stat,
    )
    warn_of_statistic(prepared.stat, decoder)
    pairs = read_pairs(config.given.labels)
    maps = matched(prepared.maps, decoder.classes, pairs)
    networks = replace(config, model=explaining.model, training=explaining.training)
    _write_run(level, bids_dir, output_dir, networks)
    record_given(output_dir, given, pairs)
    usable = set(maps.participants)
    participants = tuple(who for who in prepared.asked if who in usable)
    maps = replace(maps, mask_source=decoder.mask_source)
    write_participants(
        turns_of_given(explaining, given, maps, participants, prepared.families),
        maps,
        Output(folder=output_dir, copies=copies, transform=warped),
        n_participants=len(participants),
        device=device,
    )
    if typical := _typical(participants, maps, output_dir, explaining):
        who = sorted(set(typical.values()))
        turns = turns_of_given(explaining, given, maps, who, prepared.families)
        write_typical_panels(turns, maps, output_dir, typical, device=device)
    _finish(prepared, {}, output_dir, config)


def _train(bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    """Train, in all processes that torchrun started; the first one prepares and writes."""
    prepared: list[Prepared] = []

    def prepare_all() -> tuple[RunConfig, Mapping[str, str]]:
        settled = _checked(output_dir, config)
        start_dataset(output_dir, map_datasets(bids_dir, config.input))
        # --participant-label names who trains
        prepared.append(_prepared("train", bids_dir, output_dir, settled, only_asked=True))
        return settled, prepared[0].families

    with joined(config.execution) as (peers, device):
        make_repeatable(n_threads(config.execution))
        turn: AbstractContextManager[None] = nullcontext()
        if peers.first:
            part = "".join(f"-{fold}" for fold in config.execution.fold)
            marker = TRAINING.with_stem(TRAINING.stem + part)  # other folds need not wait
            turn = lease(output_dir / marker, asks=1, waiting=WAITING)
        with turn:
            settled, families = by_first(peers, prepare_all)
            maps = shared_maps(peers, prepared[0].maps if prepared else None)
            train(settled, maps, families, output_dir, device, peers=peers)
    if prepared:
        record_exclusions(output_dir, _left_out(prepared[0]), done=())
        _raise_failures(prepared[0])


def _checked(output_dir: Path, config: RunConfig) -> RunConfig:
    """Return the settings with what ``--init-from`` decides, if they are right for OUTPUT_DIR."""
    check_one_decoder(output_dir, None)
    config = started(config)
    check_methods(config.saliency.methods, config.model)
    check_refits(config)
    check_one_kind(output_dir, config)
    return config


def _participant(bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    config = _checked(output_dir, config)
    device = choose_device(config.execution)
    make_repeatable(n_threads(config.execution))
    start_dataset(output_dir, map_datasets(bids_dir, config.input))
    prepared, folds = None, _trained(config, output_dir)
    if folds is None:
        with lease(output_dir / TRAINING, asks=1, waiting=WAITING):
            folds = _trained(config, output_dir)  # by the run that was waited for
            if folds is None:
                prepared = _prepared("participant", bids_dir, output_dir, config, only_asked=False)
                folds = train(config, prepared.maps, prepared.families, output_dir, device)
    if prepared is None:
        prepared = _prepared("participant", bids_dir, output_dir, config, only_asked=True)
    maps = folds.aligned(prepared.maps)
    usable = set(maps.participants)
    participants = tuple(who for who in prepared.asked if who in usable)
    turns, skipped = turns_of_folds(config, folds, maps, participants, prepared.families, device)
    write_participants(
        turns,
        maps,
        Output(folder=output_dir),
        n_participants=len(participants) - len(skipped),
        device=device,
    )
    done = [who for who in participants if who not in skipped]
    if typical := _typical(done, maps, output_dir, config):
        who = sorted(set(typical.values()))
        turns, _ = turns_of_folds(config, folds, maps, who, prepared.families, device)
        write_typical_panels(turns, maps, output_dir, typical, device=device)
    _finish(prepared, skipped, output_dir, config)


def _typical(
    done: Sequence[str], maps: MapSet, output_dir: Path, config: RunConfig
) -> dict[int, str]:
    """Choose whose panels to show, once everyone is done; nobody where some were asked for."""
    if config.evaluation.panels != "typical" or config.input.participant_label:
        return {}
    method = main_method(config.saliency.methods)
    return choose_typical(output_dir, done, maps.class_names, method)


def _left_out(prepared: Prepared) -> dict[str, str]:
    left_out = (*prepared.failures, *prepared.excluded)
    return {each.participant: each.message for each in left_out}


def _finish(
    prepared: Prepared, skipped: Mapping[str, str], output_dir: Path, config: RunConfig
) -> None:
    """Record who was left out, write the pages of the others, and raise what failed."""
    excluded = {**_left_out(prepared), **skipped}
    usable = set(prepared.maps.participants) - set(excluded)
    done = [who for who in prepared.asked if who in usable]
    record_exclusions(output_dir, excluded, done=done)
    write_pages(output_dir, done, n_processes(config, work_of_maps(prepared.maps)))
    _raise_failures(prepared)


def _trained(config: RunConfig, output_dir: Path) -> Folds | None:
    """Return the decoders when nothing is left to train."""
    folds = find_folds(output_dir, config)
    if folds is None or not folds.complete() or not sigma_chosen(config, folds):
        return None
    if not histories_collected(folds):  # by jobs of --fold that did not see one another
        return None
    compared = baseline_trained(config, folds) and permuted_trained(config, folds)
    return folds if compared and refits_done(config, folds) else None


def _prepared(
    level: str, bids_dir: Path, output_dir: Path, config: RunConfig, *, only_asked: bool
) -> Prepared:
    prepared = prepare(config, bids_dir, output_dir, only_asked=only_asked)
    check_target(config.saliency.target, prepared.maps.class_names)
    _write_run(level, bids_dir, output_dir, config)
    return prepared


def _raise_failures(prepared: Prepared) -> None:
    failed = [each for each in prepared.failures if each.participant in prepared.asked]
    if failed:
        listed = "; ".join(f"sub-{each.participant}: {each.message}" for each in failed)
        raise BadDataError(
            f"{len(failed)} of {len(prepared.asked)} participants failed, the others are done. "
            f"{listed}"
        )


def _group(bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    if not output_dir.is_dir():
        raise NoInputError(f"{output_dir} is not a folder: run the participant level first.")
    write_group_tables(output_dir, seed=config.execution.random_seed)
    write_group_maps(output_dir, config)
    write_map_reliability(output_dir, config)
    write_exclusions(output_dir)
    _write_run("group", bids_dir, output_dir, config)
    write_summary(output_dir)
    write_group_page(output_dir)


def _write_run(level: str, bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    """Leave the resolved config, which re-runs the job, how it was started, and what to cite."""
    started = datetime.now(UTC)
    run = {
        "level": level,
        "bids_dir": str(bids_dir.absolute()),
        "output_dir": str(output_dir.absolute()),
        "version": __version__,
        "started": started.isoformat(timespec="seconds"),
        "command": " ".join(sys.argv),
    }
    # not the process id: in containers of one array all may be 1
    name = f"{started:%Y%m%dT%H%M%S}_{level}_{uuid4().hex[:8]}.toml"
    write_atomically(output_dir / "logs" / name, to_toml(config, run).encode())
    write_citation(output_dir)
