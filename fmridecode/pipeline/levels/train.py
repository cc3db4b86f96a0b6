"""The level train."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from fmridecode.bids.datasets import map_datasets
from fmridecode.bids.derivatives import start_dataset
from fmridecode.config import RunConfig
from fmridecode.pipeline.cores import n_threads
from fmridecode.pipeline.device import make_repeatable
from fmridecode.pipeline.lease import lease
from fmridecode.pipeline.levels.begin import TRAINING, WAITING, checked, prepared_for
from fmridecode.pipeline.levels.finish import left_out, raise_failures
from fmridecode.pipeline.preparing.exclusions import record_exclusions
from fmridecode.pipeline.preparing.prepare import Prepared
from fmridecode.pipeline.training.together import by_first, joined, shared_maps
from fmridecode.pipeline.training.train import train


def train_level(bids_dir: Path, output_dir: Path, config: RunConfig) -> None:
    """Train, in all processes that torchrun started; the first one prepares and writes."""
    prepared: list[Prepared] = []

    def prepare_all() -> tuple[RunConfig, Mapping[str, str]]:
        settled = checked(output_dir, config)
        start_dataset(output_dir, map_datasets(bids_dir, config.input))
        # --participant-label names who trains
        prepared.append(prepared_for("train", bids_dir, output_dir, settled, only_asked=True))
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
        record_exclusions(output_dir, left_out(prepared[0]), done=())
        raise_failures(prepared[0])
