"""Make the shipped decoder: simulate, train, calibrate, evaluate."""

import logging
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from fmridecode.bids.settings import SpaceConfig
from fmridecode.bids.templates import Template, target_grid
from fmridecode.config import compose
from fmridecode.core.abstention import fit_abstention
from fmridecode.core.batches import Batches
from fmridecode.core.calibration import fit_temperature
from fmridecode.core.maps import MapSet
from fmridecode.core.models import Decoder
from fmridecode.core.splits import Split
from fmridecode.core.trained import TrainedDecoder, predict_logits
from fmridecode.core.training import passes
from fmridecode.core.typicality import usual
from fmridecode.experiments.regions import DOMAINS
from fmridecode.experiments.study import SimulationConfig
from fmridecode.pipeline.shipped.coarse import coarse_template, on_fine_voxels
from fmridecode.pipeline.shipped.evaluate import probabilities, real_scores, simulated_scores
from fmridecode.pipeline.shipped.maps import simulated_maps
from fmridecode.pipeline.shipped.origin import origin_of
from fmridecode.pipeline.shipped.recipe import OTHER, Role, ShippedRecipe
from fmridecode.pipeline.training.fitting import Members, fit_members
from fmridecode.pipeline.training.training_maps import statistics
from fmridecode.progress import progress

N_CLASSES = len(DOMAINS) + 1
"""The domains, and what is of none."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The decoder, with its scores in its origin, and the epochs of its training."""

    decoder: TrainedDecoder
    history: pd.DataFrame


def make_shipped(recipe: ShippedRecipe, *, device: torch.device) -> Made:
    """Make the decoder; the same recipe gives the same bits on one machine.

    Validation maps, of the domains and of none, choose the epoch, the temperature and the
    threshold of the abstention. Test maps are of fresh laboratories and of kinds of no
    domain that neither trained nor calibrated. No real map is used but to evaluate.
    """
    template = target_grid(SpaceConfig(resolution=recipe.resolution))
    trained = _train(recipe, coarse_template(template, recipe.model), device)
    model = on_fine_voxels(trained.model, template, recipe.model, n_classes=N_CLASSES)
    decoder = _calibrated(recipe, model, *_both(recipe, "validation", template), device)
    known, strange = _both(recipe, "test", template)
    generator = np.random.default_rng(recipe.seed)
    scores = (
        *simulated_scores(decoder, known, strange, device=device, generator=generator),
        *real_scores(decoder, template, device=device),
    )
    decoder = replace(decoder, origin=replace(decoder.origin, scores=scores))
    return Made(decoder=decoder, history=trained.history)


def _calibrated(
    recipe: ShippedRecipe, model: Decoder, known: MapSet, strange: MapSet, device: torch.device
) -> TrainedDecoder:
    """Fit temperature and threshold on validation maps, and put everything together."""
    everything = np.arange(len(known.examples))
    logits = np.concatenate([_logits(model, each, device) for each in (known, strange)])
    labels = np.concatenate([known.labels, strange.labels])
    studies = recipe.study("train"), recipe.strange("train")
    decoder = TrainedDecoder(
        model=model,
        model_config=recipe.model,
        training_config=recipe.training,
        classes=known.classes,
        grid=known.grid,
        mask_source=known.mask_source,
        zscore="brain",
        calibration=fit_temperature(logits, labels),
        n_maps=sum(each.participants * len(each.classes) for each in studies),
        n_participants=sum(each.participants for each in studies),
        seed=recipe.seed,
        origin=replace(origin_of(recipe), usual=usual(statistics(known, everything))),
    )
    inside, outside = (probabilities(decoder, each.values, device) for each in (known, strange))
    abstention = fit_abstention(inside, outside, known.class_names, other=OTHER)
    log.info("Abstention below a probability of %.3f.", abstention.least)
    return replace(decoder, abstention=abstention)


def _logits(model: Decoder, maps: MapSet, device: torch.device) -> NDArray[np.float32]:
    indices = np.arange(len(maps.examples))
    batches = Batches(values=maps.values, labels=maps.labels, indices=indices, device=device)
    return predict_logits(model, batches).numpy()


def _train(recipe: ShippedRecipe, template: Template, device: torch.device) -> Members:
    """Train on what is of a domain and what is of none, and choose the epoch by others."""
    studies = {
        "train": recipe.study("train"),
        "strange": recipe.strange("train"),
        "validation": recipe.study("validation"),
        "validation-strange": recipe.strange("validation"),
    }
    maps = _simulated(template, studies)
    everyone = tuple(dict.fromkeys(maps.participants))
    held_out = tuple(who for who in everyone if who.startswith("validation"))
    split = Split(
        train=tuple(who for who in everyone if who not in set(held_out)),
        validation=held_out,
        test=(),
    )
    config = replace(
        compose({"execution": {"random_seed": recipe.seed}}),
        model=replace(recipe.model, coarsen_from=0),
        training=recipe.training,
    )
    with progress("Training", passes(recipe.training) * recipe.model.ensemble) as advance:
        return fit_members(config, maps, split, fold=1, device=device, advance=advance)


def _both(recipe: ShippedRecipe, role: Role, template: Template) -> tuple[MapSet, MapSet]:
    """Return maps of the domains, and maps of no domain of kinds that training has not."""
    known = _simulated(template, {role: recipe.study(role)})
    return known, _simulated(template, {role: recipe.unmet(role)})


def _simulated(template: Template, studies: dict[str, SimulationConfig]) -> MapSet:
    total = sum(each.participants * len(each.classes) for each in studies.values())
    with progress("Simulating", total) as advance:
        return simulated_maps(template, studies, advance=advance)
