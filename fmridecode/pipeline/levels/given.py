"""The level participant with the decoder of ``--model``."""

from dataclasses import replace
from pathlib import Path

from fmridecode.bids.spaces import transform_between
from fmridecode.config import RunConfig
from fmridecode.errors import UsageError
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
from fmridecode.pipeline.levels.finish import finish, panels_to_show
from fmridecode.pipeline.levels.record import write_run
from fmridecode.pipeline.matching import matched, read_pairs
from fmridecode.pipeline.memory import check_memory, work_on
from fmridecode.pipeline.participant.explain import check_methods, check_target
from fmridecode.pipeline.participant.interactions import parcels_asked
from fmridecode.pipeline.participant.output import Output
from fmridecode.pipeline.participant.panel import write_typical_panels
from fmridecode.pipeline.participant.write import write_participants
from fmridecode.pipeline.preparing.prepare import prepare
from fmridecode.pipeline.regression.applicable import settled_for_given


def decode_with_given(level: str, bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
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
    config = settled_for_given(config, given, bids_dir)
    decoder, copies = given.decoder, copies_on(config, given.decoder)
    explaining = settled(config, given)
    check_memory(explaining, work_on(decoder.grid))
    check_methods(explaining.saliency.methods, decoder.model_config)
    if decoder.number is None:
        check_target(explaining.saliency.target, tuple(each.name for each in decoder.classes))
    parcels = parcels_asked(explaining, decoder.grid, decoder.model.mask.cpu().numpy())
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
    maps = prepared.maps
    if decoder.number is None:
        other = decoder.abstention.other if decoder.abstention else ""
        maps = matched(maps, decoder.classes, pairs, other=other)
    elif maps.target is None:  # predicted, not scored
        maps = replace(maps, target=decoder.number.target)
    networks = replace(config, model=explaining.model, training=explaining.training)
    write_run(level, bids_dir, output_dir, networks)
    record_given(output_dir, given, pairs)
    usable = set(maps.participants)
    participants = tuple(who for who in prepared.asked if who in usable)
    maps = replace(maps, mask_source=decoder.mask_source)
    write_participants(
        turns_of_given(explaining, given, maps, participants, prepared.families),
        maps,
        Output(folder=output_dir, copies=copies, transform=warped, parcels=parcels),
        n_participants=len(participants),
        device=device,
    )
    if typical := panels_to_show(participants, maps, output_dir, explaining):
        who = sorted(set(typical.values()))
        turns = turns_of_given(explaining, given, maps, who, prepared.families)
        write_typical_panels(turns, maps, output_dir, typical, device=device)
    finish(prepared, {}, output_dir, config)
