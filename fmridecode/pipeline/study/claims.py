"""Which orderings that the authors claim hold in a study."""

from dataclasses import dataclass

import pandas as pd

from fmridecode.pipeline.study.rows import ROWS, TITLES

ALPHA = 0.05
OF_THE_CNN = ("cnn", "cnn-smoothgrad", "cnn-random-noise", "cnn-adversarial")


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """An ordering: in every pair, the first row scores higher than the second."""

    words: str
    pairs: tuple[tuple[str, str], ...]


CLAIMS = (
    Claim(
        words="CNN adversarial above all others",
        pairs=tuple(
            ("cnn-adversarial", row.name) for row in ROWS if row.name != "cnn-adversarial"
        ),
    ),
    Claim(words="SmoothGrad above the CNN's gradient", pairs=(("cnn-smoothgrad", "cnn"),)),
    Claim(
        words="Gradient × input lowest of the CNN's",
        pairs=tuple((name, "cnn-gradient-x-input") for name in OF_THE_CNN),
    ),
    Claim(words="CLN adversarial above CLN", pairs=(("cln-adversarial", "cln"),)),
)
"""What the paper and its later version say of HCP data."""


def verdict(claim: Claim, tests: pd.DataFrame, reference: str, criterion: str) -> str:
    """Say in a few words whether a claim holds, and name what speaks against it."""
    here = tests[(tests["reference"] == reference) & (tests["criterion"] == criterion)]
    one_above_all = len({higher for higher, _ in claim.pairs}) == 1
    against, unsure = [], []
    for higher, lower in claim.pairs:
        difference, p = _difference(here, higher, lower)
        other = TITLES[lower if one_above_all else higher]
        if not difference > 0:
            against.append(other + (" (p < .05)" if p < ALPHA else ""))
        elif not p < ALPHA:
            unsure.append(other)
    if against:
        return "no: the other way round for " + ", ".join(against)
    if unsure:
        return "in the means; not shown for " + ", ".join(unsure)
    return "yes"


def _difference(tests: pd.DataFrame, higher: str, lower: str) -> tuple[float, float]:
    """Return the mean difference and the corrected p, whichever way round the pair was tested."""
    one = tests[(tests["row_a"] == higher) & (tests["row_b"] == lower)]
    if len(one):
        return float(one["difference"].iloc[0]), float(one["p_bonferroni"].iloc[0])
    other = tests[(tests["row_a"] == lower) & (tests["row_b"] == higher)]
    return -float(other["difference"].iloc[0]), float(other["p_bonferroni"].iloc[0])


def claims_table(tests: pd.DataFrame) -> pd.DataFrame:
    """Return a verdict for every claim, criterion and reference."""
    combinations = tests[["reference", "criterion"]].drop_duplicates()
    return pd.DataFrame(
        [
            {
                "claim": claim.words,
                "reference": reference,
                "criterion": criterion,
                "holds": verdict(claim, tests, reference, criterion),
            }
            for claim in CLAIMS
            for reference, criterion in combinations.itertuples(index=False)
        ]
    )


CLAIMS_DICTIONARY = {
    "claim": "An ordering that the authors claim of HCP data.",
    "reference": "own: the participant's own maps; known: the activation that made them.",
    "criterion": "CIA or CAD.",
    "holds": "yes: every difference has this sign and a Bonferroni-corrected p below .05; in the "
    "means: every difference has this sign; no: some have not, and which.",
}
