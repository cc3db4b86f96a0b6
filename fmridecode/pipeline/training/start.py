"""The decoder whose convolutional layers a training starts from (``--init-from``)."""

import logging
from collections.abc import Sequence
from dataclasses import replace

import torch

from fmridecode.bids.labels import listing
from fmridecode.bundles.bundle import load
from fmridecode.bundles.locate import locate
from fmridecode.config import PRESETS, RunConfig
from fmridecode.core.maps import MapSet
from fmridecode.core.models import Decoder
from fmridecode.core.settings import ModelConfig
from fmridecode.core.splits import Split
from fmridecode.core.trained import TrainedDecoder
from fmridecode.core.transfer import TAKEN_OVER, members_of, with_layers_of
from fmridecode.errors import UsageError
from fmridecode.pipeline.training.leaks import recognised

log = logging.getLogger(__name__)

CPU = torch.device("cpu")


def started(config: RunConfig) -> RunConfig:
    """Return the settings with the convolutional layers of ``--init-from``; as they are without.

    Raises
    ------
    UsageError
        Other layers were asked for than that decoder has.
    NoInputError, BadDataError
        There is no such decoder, or it cannot be used.
    """
    name = config.training.init_from
    if not name:
        return config
    source = _decoder(name)
    if not members_of(source.model)[0].convolutions():
        raise UsageError(
            f"--init-from {name} is a {source.model_config.architecture} decoder without "
            "convolutional layers; start from one with --architecture cnn."
        )
    for field in TAKEN_OVER:
        ours, theirs = getattr(config.model, field), getattr(source.model_config, field)
        if ours not in (theirs, *_usual(field)):
            flag = "--" + field.replace("_", "-")
            raise UsageError(
                f"{flag} is {_words(ours)}, but --init-from {name} has {_words(theirs)}: leave "
                f"{flag} out, or give the same."
            )
    log.info("Convolutional layers start from those of %s.", name)
    return replace(config, model=with_layers_of(config.model, source.model_config))


def starting_members(config: RunConfig, device: torch.device) -> list[Decoder]:
    """Return the decoders to start from, none without ``--init-from``."""
    name = config.training.init_from
    return members_of(_decoder(name).model.to(device)) if name else []


def _decoder(name: str) -> TrainedDecoder:
    found = locate(name, option="--init-from")
    if found.kind != "bundle":
        raise UsageError(
            f"--init-from {name} has several decoders; name one of them, such as "
            f"{found.path / 'fold-1'}."
        )
    return load(found.path, device=CPU).decoder


def _usual(field: str) -> list[object]:
    """Return what the presets give: whoever did not ask for anything has one of these."""
    said = [
        values["model"][field] for values in PRESETS.values() if field in values.get("model", {})
    ]
    return [getattr(ModelConfig(), field), *said]


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def check_start_saw_nobody(config: RunConfig, maps: MapSet, splits: Sequence[Split]) -> None:
    """Make sure that the decoder to start from has seen nobody whom a fold tests.

    Raises
    ------
    UsageError
        It has: every score would be flattered.
    """
    name = config.training.init_from
    tested = {who for split in splits for who in split.test}
    seen = recognised(_decoder(name), maps, tested) if name else {}
    if seen:
        raise UsageError(
            f"--init-from {name} was trained on {len(seen)} of the participants to be tested "
            f"({listing(seen)}), so that every score would be flattered: start from a decoder of "
            "other people."
        )
