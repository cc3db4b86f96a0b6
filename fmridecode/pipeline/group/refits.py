"""Rows of the permutation test for linear decoders that were trained anew on permuted labels."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from fmridecode.bids.derivatives import read_table
from fmridecode.core.permutation import compare_with_null

FILES = {"decoder": "models/*/permutations.tsv", "baseline": "models/*/baseline/permutations.tsv"}
"""Which decoder was refitted, and where its table lies."""


def refitted_rows(output_dir: Path) -> pd.DataFrame:
    """Return the tests of what was refitted; no rows where nothing was."""
    rows = []
    for decoder, pattern in FILES.items():
        for path in sorted(output_dir.glob(pattern)):
            table = read_table(path)
            as_is = table["permutation"] == 0
            if as_is.all() or not as_is.any():
                continue  # interrupted before its first permutation
            for metric in ("accuracy", "balanced_accuracy"):
                observed = float(table.loc[as_is, metric].iloc[0])
                test = compare_with_null(table.loc[~as_is, metric].to_numpy(), observed)
                rows.append(
                    {"metric": metric, "decoder": decoder, "refitted": True, **asdict(test)}
                )
    return pd.DataFrame(rows)
