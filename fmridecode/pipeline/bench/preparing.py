"""Preparing a data set, beside inflating and resampling its maps and nothing else."""

import itertools
import shutil
from collections.abc import Iterator
from pathlib import Path

from fmridecode.bids import maps as bids_maps
from fmridecode.bids.classes import plan_examples
from fmridecode.bids.images import read_image
from fmridecode.bids.query import look_for_maps
from fmridecode.bids.resampling import resample
from fmridecode.bids.templates import Template
from fmridecode.experiments.benchmarks.comparison import Comparison
from fmridecode.experiments.regions import DOMAINS
from fmridecode.pipeline.bench.study import Study


def preparing(study: Study, *, participants: int, nprocs: int) -> Comparison:
    """Hold preparing a data set against inflating and resampling its maps with as many processes.

    The floor takes the reference's place: a ratio of 0.8 is four fifths of its speed.
    """
    counter = itertools.count()
    found = look_for_maps(study.bids, study.config.input).maps
    plan = plan_examples(found, study.config.input)
    paths = [source.path for each in plan.examples for source in each.sources]

    def ours() -> None:
        look_for_maps(study.bids, study.config.input)
        work = study.folder / f"work-{next(counter)}"
        bids_maps.prepare(
            plan,
            study.template,
            inputs=study.config.input,
            space=study.config.space,
            work_dir=work,
            nprocs=nprocs,
        )
        shutil.rmtree(work)

    return Comparison(
        name=f"preparing {participants} participants x {len(DOMAINS)} maps, {nprocs} processes",
        ours=ours,
        reference=lambda: list(_inflated(paths, study.template, nprocs)),
        floor_is="the reference itself, inflating and resampling only",
    )


def _inflated(paths: list[Path], template: Template, nprocs: int) -> Iterator[float]:
    from sklearn.utils.parallel import Parallel, delayed

    parallel = Parallel(n_jobs=nprocs, return_as="generator")
    return iter(parallel(delayed(_inflate)(path, template) for path in paths))


def _inflate(path: Path, template: Template) -> float:
    data, affine = read_image(path)
    return float(resample(data, affine, template.grid)[0][0, 0, 0])
