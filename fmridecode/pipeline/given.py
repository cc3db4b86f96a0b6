"""A decoder that was given (``--model``) instead of trained on the data set."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from fmridecode.bids.atomic import write_atomically
from fmridecode.bids.labels import normal
from fmridecode.bids.settings import SpaceConfig
from fmridecode.bids.templates import Template, target_grid
from fmridecode.bundles.bundle import Bundle, load
from fmridecode.bundles.locate import locate
from fmridecode.config import RunConfig
from fmridecode.core.averaged import averaged
from fmridecode.core.maps import MapSet
from fmridecode.core.settings import AUTO, SaliencyConfig
from fmridecode.core.trained import TrainedDecoder
from fmridecode.errors import FmridecodeError, UsageError
from fmridecode.pipeline.training.folds import Folds, read_folds
from fmridecode.pipeline.training.leaks import recognised
from fmridecode.pipeline.turns import Turn

log = logging.getLogger(__name__)

RECORD = "given.json"
"""Under ``models``: which decoder the results of an OUTPUT_DIR are by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The decoder of ``--model``: a bundle, or those of another run's folds.

    Parameters
    ----------
    name
        What ``--model`` says.
    bundles
        One, or one for each fold.
    folds
        Who trained which; None for a single bundle.
    """

    name: str
    bundles: tuple[Bundle, ...]
    folds: Folds | None

    @property
    def decoder(self) -> TrainedDecoder:
        """A decoder that stands for all: classes, grid and settings are shared."""
        return self.bundles[0].decoder

    def innocent(self, participant: str, families: Mapping[str, str]) -> tuple[int, ...]:
        """Return the bundles, by position, that have not seen a participant or the family."""
        if self.folds is None:
            return (0,)
        family = families.get(participant)
        related = {who for who, name in families.items() if family and name == family}
        return tuple(
            k
            for k, split in enumerate(self.folds.splits)
            if all(split.role(who) in ("test", "") for who in {participant, *related})
        )

    def together(self, chosen: Sequence[int]) -> Bundle:
        """Return the mean of some bundles, or the one that was chosen."""
        if len(chosen) == 1:
            return self.bundles[chosen[0]]
        members = [self.bundles[k] for k in chosen]
        named = hashlib.sha256("".join(each.hash for each in members).encode()).hexdigest()
        mean = averaged([each.decoder for each in members])
        return Bundle(decoder=mean, hash=named, path=members[0].path.parent)


def find_given(config: RunConfig, output_dir: Path, device: torch.device) -> Given:
    """Load the decoder that ``--model`` names.

    Raises
    ------
    NoInputError, BadDataError, UsageError
        There is none of that name, or it cannot be used.
    """
    name = config.given.model
    found = locate(name)
    if found.kind == "bundle":
        return Given(name=name, bundles=(load(found.path, device=device),), folds=None)
    if found.path.resolve().is_relative_to(output_dir.resolve()):
        raise UsageError(
            f"--model {name} is in OUTPUT_DIR itself, whose decoders are used anyway; leave "
            "--model out, or name another OUTPUT_DIR."
        )
    folds = read_folds(found.path)
    if not folds.complete():
        raise UsageError(
            f"--model {name}: only {len(folds.finished())} of {len(folds.splits)} folds in "
            f"{found.path} are trained; finish that run first."
        )
    numbers = range(1, len(folds.splits) + 1)
    bundles = tuple(folds.load(fold, device=device) for fold in numbers)
    averaged([each.decoder for each in bundles])  # refuses those that are not alike
    return Given(name=name, bundles=bundles, folds=folds)


def settled(config: RunConfig, given: Given) -> RunConfig:
    """Return the settings with what the decoder decides: the space, the z-score, the network."""
    if config.evaluation.permutation_refits:
        raise UsageError(
            "--permutation-refits trains decoders, and --model names one; leave it out."
        )
    decoder = given.decoder
    saliency = config.saliency
    if saliency.smoothgrad_sigma == AUTO:
        sigma = SaliencyConfig().smoothgrad_sigma
        log.info("--smoothgrad-sigma auto needs a training; %s is taken", sigma)
        saliency = replace(saliency, smoothgrad_sigma=sigma)
    return replace(
        config,
        space=replace(
            config.space,
            space=decoder.grid.space,
            zscore="brain" if decoder.zscore == "brain" else "volume",
        ),
        model=decoder.model_config,
        training=decoder.training_config,
        saliency=saliency,
    )


def warn_of_statistic(stat: str, decoder: TrainedDecoder) -> None:
    """Say so when the maps are of another statistic than those that trained the decoder."""
    trained = decoder.origin.stat
    if trained and normal(trained) != normal(stat):
        log.warning(
            "The decoder was trained on maps of stat-%s, these are of %s: its probabilities may "
            "not hold for them.",
            trained,
            f"stat-{stat}" if stat else "no named statistic",
        )


def template_of(decoder: TrainedDecoder) -> Template:
    """Return the decoder's own grid and mask, so that maps come to exactly these voxels."""
    mask = decoder.model.mask.cpu().numpy()
    grid = decoder.grid
    if decoder.zscore == "volume":  # the mask is the whole grid; the brain is the template's
        brain = _template(grid.space, int(grid.resolution))
        if brain is not None and brain.grid.equals(grid.shape, grid.matrix):
            mask = brain.mask
    return Template(
        grid=grid,
        mask=mask,
        mask_source=decoder.mask_source,
        underlay=None,
        verified=False,
    )


def _template(space: str, resolution: int) -> Template | None:
    try:
        return target_grid(SpaceConfig(space=space, resolution=resolution))
    except FmridecodeError as problem:
        log.warning("The brain mask of %s is not to be had (%s)", space, problem)
        return None


def copies_on(config: RunConfig, decoder: TrainedDecoder) -> Template | None:
    """Return the grid that was asked for besides the decoder's, None when none was."""
    asked, own = config.space, decoder.grid
    if not asked.space and not asked.resolution:
        return None
    space = asked.space or own.space
    found = target_grid(
        SpaceConfig(space=space, resolution=asked.resolution or int(own.resolution))
    )
    return None if found.grid.equals(own.shape, own.matrix) and space == own.space else found


def turns_of_given(
    config: RunConfig,
    given: Given,
    maps: MapSet,
    participants: Sequence[str],
    families: Mapping[str, str],
) -> Iterator[Turn]:
    """Give each participant to the mean of the folds that have not seen the person.

    A fold has seen whom it trained or validated on, the family, and whoever it recognises by a
    map. Where all have, all of them decode, and the participant is marked as seen.
    """
    known = [recognised(each.decoder, maps, participants) for each in given.bundles]
    everything = tuple(range(len(given.bundles)))
    groups: dict[tuple[int, ...], list[str]] = {}
    seen = set()
    for who in participants:
        innocent = given.innocent(who, families)
        chosen = tuple(k for k in innocent if who not in known[k])
        if not innocent:
            seen.add(who)
        groups.setdefault(chosen or everything, []).append(who)
    for chosen, members in groups.items():
        log.info(
            "%d participants are decoded by %s%s",
            len(members),
            given.name,
            "" if given.folds is None else f", fold {', '.join(str(k + 1) for k in chosen)}",
        )
        yield Turn(
            bundle=given.together(chosen),
            fold=chosen[0] + 1 if given.folds and len(chosen) == 1 else None,
            participants=tuple(members),
            seen=frozenset(seen & set(members)),
            config=config,
            folds=given.folds,
        )


def check_one_decoder(output_dir: Path, given: Given | None) -> None:
    """Make sure that the results in OUTPUT_DIR are all by the decoder that was given.

    Raises
    ------
    UsageError
        They are by another one, or were to be by one that is trained here.
    """
    record = output_dir / "models" / RECORD
    hashes = [] if given is None else [each.hash for each in given.bundles]
    if record.exists():
        try:
            known = json.loads(record.read_text(encoding="utf-8"))
            before, name = known["hashes"], known["model"]
        except (OSError, ValueError, KeyError, TypeError):
            return
        if before != hashes:
            now = "a decoder is to be trained" if given is None else f"{given.name} is asked for"
            raise UsageError(
                f"{output_dir} holds the results of --model {name}, and {now}; one OUTPUT_DIR is "
                "for one decoder: name another."
            )
    elif given is not None and (trained := sorted((output_dir / "models").glob("*/folds.tsv"))):
        raise UsageError(
            f"{output_dir} holds the results of {trained[0].parent.name}, trained there, and "
            f"--model {given.name} is asked for; one OUTPUT_DIR is for one decoder: name another."
        )


def record_given(output_dir: Path, given: Given, labels: Mapping[str, str]) -> None:
    """Leave which decoder the results are by, for the report and for later runs."""
    decoder = given.decoder
    said = {
        "model": given.name,
        "hashes": [each.hash for each in given.bundles],
        "title": decoder.origin.title,
        "dataset": decoder.origin.dataset,
        "architecture": decoder.model_config.architecture,
        "training": decoder.training_config.scheme,
        "ensemble": decoder.model_config.ensemble,
        "n_maps": decoder.n_maps,
        "n_participants": decoder.n_participants,
        "space": decoder.grid.space,
        "resolution": int(label) if (label := decoder.grid.resolution).isdigit() else label,
        "zscore": decoder.zscore,
        "classes": [asdict(each) for each in decoder.classes],
        "labels": dict(labels),
        **({"target": asdict(decoder.number.target)} if decoder.number else {}),
    }
    content = json.dumps(said, indent=2, ensure_ascii=False)
    write_atomically(output_dir / "models" / RECORD, content.encode())
