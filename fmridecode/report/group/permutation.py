"""Whether the accuracy could be luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.blocks import Block, Prose
from fmridecode.report.numbers import number, p_value, whole

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Derivatives


@dataclass(frozen=True, slots=True, kw_only=True)
class Permutation:
    """One permutation test; ``refitted`` when decoders were trained on the permuted labels."""

    decoder: str
    refitted: bool
    observed: float
    null_mean: float
    null_high: float
    p: float
    n_permutations: int


def permutations(derivatives: Derivatives) -> tuple[Permutation, ...]:
    """Return the tests of the accuracy; tables of earlier versions have the first only."""
    table = derivatives.table(
        "decoding_permutation", "metric", "observed", "null_mean", "null_high", "p",
        "n_permutations",
    )  # fmt: skip
    if table is None:
        return ()
    return tuple(
        Permutation(
            decoder=str(row.get("decoder", "decoder")),
            refitted=bool(row.get("refitted", False)),
            observed=float(row["observed"]),
            null_mean=float(row["null_mean"]),
            null_high=float(row["null_high"]),
            p=float(row["p"]),
            n_permutations=int(row["n_permutations"]),
        )
        for _, row in table.frame[table.frame["metric"] == "accuracy"].iterrows()
    )


def permutation(derivatives: Derivatives) -> tuple[Block, ...]:
    """Say what the permutation tests of the accuracy found."""
    found = permutations(derivatives)
    href = derivatives.link(derivatives.root / "group_desc-decoding_permutation.tsv")
    link = Markup('<a href="{}">{}</a>').format(href, "group_desc-decoding_permutation.tsv")
    return tuple(
        Prose(text=Markup("{} ({}).").format(words(each), link))
        for each in found
        for words in (_refitted if each.refitted else _scored,)
    )


def _scored(test: Permutation) -> str:
    return (
        "With the true labels exchanged within participants "
        f"{whole(test.n_permutations)} times, the accuracy was {number(test.null_mean)} "
        f"on average and {number(test.null_high)} at its 95th percentile; with the labels "
        f"as they are it is {number(test.observed)} (one-sided permutation test, "
        f"{p_value(test.p)}). The decoders’ outputs were scored anew, not trained anew"
    )


def _refitted(test: Permutation) -> str:
    which = "decoder" if test.decoder == "decoder" else "linear decoder to compare with"
    return (
        f"Trained anew on every fold with labels exchanged within participants, "
        f"{whole(test.n_permutations)} times, the {which} had an accuracy of "
        f"{number(test.null_mean)} on average and {number(test.null_high)} at its 95th "
        f"percentile; with the labels as they are it has {number(test.observed)} (one-sided "
        f"permutation test, {p_value(test.p)})"
    )
