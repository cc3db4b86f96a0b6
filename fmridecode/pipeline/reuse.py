"""Algorithm 1 as printed against gradient reuse, on simulated maps with known activation."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch

from fmridecode.config import RunConfig
from fmridecode.core.splits import make_splits
from fmridecode.experiments.gradient_reuse import VARIANTS
from fmridecode.experiments.study import SimulationConfig
from fmridecode.pipeline.participant.alignment import align, own_activation
from fmridecode.pipeline.simulated_maps import simulated_study
from fmridecode.pipeline.study.tables import CRITERIA, KNOWN, OWN
from fmridecode.pipeline.training.fitting import fit_decoder

DATA = {OWN: "simulated, own maps", KNOWN: "simulated, known truth"}
"""What the tables call the data and the reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedJob:
    """Both variants of one seed, of the maps, the split and the weights alike."""

    config: RunConfig
    simulation: SimulationConfig
    seed: int


def jobs(
    config: RunConfig, simulation: SimulationConfig, seeds: Collection[int]
) -> list[SimulatedJob]:
    """Return a job for every seed."""
    return [SimulatedJob(config=config, simulation=simulation, seed=seed) for seed in seeds]


def run(job: SimulatedJob) -> list[dict[str, object]]:
    """Train both variants on one split and score the gradient of its test participants."""
    study = simulated_study(replace(job.simulation, seed=job.seed), job.config.space)
    split, *_ = make_splits(
        study.maps.participants,
        job.config.split,
        families=study.families,
        generator=np.random.default_rng(job.seed),
    )
    means: dict[tuple[str, str], dict[str, float]] = {}
    for variant, reused in VARIANTS.items():
        config = replace(
            job.config,
            training=replace(job.config.training, scheme="adversarial", gradient_reuse=reused),
            execution=replace(job.config.execution, random_seed=job.seed),
        )
        device = torch.device("cpu")
        decoder = fit_decoder(config, study.maps, split, fold=1, device=device).decoder
        found = [
            each
            for who in split.test
            for each in align(
                decoder,
                study.maps,
                who,
                "gradient",
                {OWN: own_activation(study.maps, who), KNOWN: study.known[who]},
                config,
                device=device,
            )
        ]
        for reference in DATA:
            for criterion in CRITERIA:
                r = [
                    each.alignment.pearson_r
                    for each in found
                    if (each.reference, each.alignment.criterion) == (reference, criterion)
                ]
                means.setdefault((reference, criterion), {})[variant] = float(np.nanmean(r))
    return [
        {
            "preset": DATA[reference],
            "seed": job.seed,
            "criterion": criterion,
            **of_variant,
            "difference": of_variant["reuse"] - of_variant["literal"],
        }
        for (reference, criterion), of_variant in means.items()
    ]


def seeds_table(results: Sequence[list[dict[str, object]]]) -> pd.DataFrame:
    """Return the rows of all seeds, as `fmridecode.experiments.gradient_reuse.seeds_table`."""
    return pd.DataFrame([row for rows in results for row in rows])
