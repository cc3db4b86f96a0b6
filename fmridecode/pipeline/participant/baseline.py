"""What the linear decoder to compare with says of a participant's maps."""

from pathlib import Path

import torch

from fmridecode.bids.derivatives import table_path, write_table
from fmridecode.bundles.bundle import Bundle
from fmridecode.core.maps import MapSet
from fmridecode.pipeline.participant.decode import (
    Decoded,
    decode,
    predictions_dictionary,
    predictions_table,
)

DESCRIPTION = "desc-baseline_predictions"


def write_baseline(
    baseline: Bundle | None,
    maps: MapSet,
    decoded: Decoded,
    output_dir: Path,
    *,
    device: torch.device,
) -> None:
    """Write the baseline's predictions, or remove earlier ones where there is no baseline.

    Parameters
    ----------
    baseline
        The linear decoder of the fold that decoded the participant.
    decoded
        What the decoder said of the same maps.
    """
    participant = maps.examples[decoded.indices[0]].participant
    path = table_path(output_dir, participant, DESCRIPTION)
    if baseline is None:
        path.unlink(missing_ok=True)
        path.with_suffix(".json").unlink(missing_ok=True)
        return
    found = decode(
        baseline,
        maps,
        participant,
        fold=decoded.fold,
        seen_in_training=decoded.seen_in_training,
        device=device,
    )
    write_table(path, predictions_table(found, maps), predictions_dictionary(maps.class_names))
