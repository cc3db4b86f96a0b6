"""How parcels interact in the decoders, over participants: means, and tests of every pair."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from fmridecode.bids.derivatives import write_table
from fmridecode.bids.parcels import read_matrix
from fmridecode.config import RunConfig
from fmridecode.core.settings import EvaluationConfig
from fmridecode.errors import BadDataError
from fmridecode.pipeline.group.inference import ALPHA, FEWEST, Dependence, alike
from fmridecode.pipeline.group.stack import Members, read_sidecar

ENDING = "_interactions.tsv"
PAIRS, TESTS = "interactions_pairs", "interactions_tests"

_KEYS = {
    "label": "True class of the maps that are explained.",
    "target": "Class, or difference of two, whose log-odds are explained.",
    "atlas": "File of the atlas.",
}
PAIRS_DICTIONARY = {
    **_KEYS,
    "parcel_a": "Name of a parcel.",
    "parcel_b": "Name of another, or of the same.",
    "mean": "Mean over participants of the interaction, in log-odds of the target class per SD of "
    "one parcel and SD of the other; sessions are averaged first. Positive where more activation "
    "in one makes more activation in the other speak more for the target class.",
    "standard_error": "Standard error over participants.",
    "t": f"One-sample t over participants, two-sided; n/a below {FEWEST} participants, where all "
    "have the same, or with --group-statistics off.",
    "df": "Degrees of freedom.",
    "p": "Its p, not corrected.",
    "q": "p adjusted for the false discovery rate over the pairs of this target (Benjamini and "
    "Hochberg 1995).",
    "p_fwe": "p corrected for all pairs of this target, each parcel with itself among them, by "
    "the maximum of |t| over random changes of the participants' signs.",
    "n_participants": "Participants.",
}
TESTS_DICTIONARY = {
    **_KEYS,
    "n_participants": "Participants, each counted once.",
    "n_parcels": "Parcels.",
    "pairs_positive": "Pairs of different parcels with a mean above 0 and p_fwe below "
    f"{ALPHA}; n/a where nothing was tested.",
    "pairs_negative": "The same with a mean below 0.",
    "n_pairs": "Pairs of different parcels.",
    "n_permutations": "Random changes of the signs of participants' matrices; 0 where nothing was "
    "tested.",
    "softplus_beta": "Sharpness of the softplus in place of the decoders' rectified units, mean "
    "over participants; n/a where the decoders have none.",
    "n_decoders": "Decoders that made the matrices.",
    "r_same_decoder": "Mean correlation of the matrices of two participants by the same decoder. "
    "Where it is high, participants are not independent, and p is far too small.",
    "r_other_decoders": "The same by different decoders.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrices:
    """The interactions of every participant in one target, each participant once.

    Parameters
    ----------
    participants, decoders
        With ``sub-``, and the hash of the decoder that explains each.
    names
        Of the parcels.
    values
        ``(participants, parcels, parcels)``, sessions averaged.
    betas
        Sharpness of softplus, NaN where the decoder has no rectified units.
    said
        The sidecar of the first; what it says of target and atlas holds for all.
    """

    participants: tuple[str, ...]
    decoders: tuple[str, ...]
    names: tuple[str, ...]
    values: NDArray[np.float64]
    betas: NDArray[np.float64]
    said: Mapping[str, object]

    @property
    def keys(self) -> dict[str, str]:
        """What names the target in every table."""
        said = {"label": "TrueClass", "target": "TargetClass", "atlas": "Atlas"}
        return {name: str(self.said.get(key, "")) for name, key in said.items()}

    @property
    def is_of_interest(self) -> bool:
        """Whether the true class is explained, or a difference that the user asked for."""
        return self.keys["label"] == self.keys["target"] or ">" in self.keys["target"]

    @property
    def pairs(self) -> NDArray[np.float64]:
        """``(participants, pairs)``, each parcel with itself and with those after it."""
        above = np.triu_indices(len(self.names))
        return self.values[:, above[0], above[1]]


def find_matrices(output_dir: Path) -> dict[str, Members]:
    """Return the matrices that differ in nothing but participant and session.

    Those by decoders that were trained on the participant are left out.
    """
    found: dict[str, dict[str, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for path in sorted(output_dir.glob(f"sub-*/**/*{ENDING}")):
        parts = path.name.split("_")
        name = "_".join(p for p in parts if not p.startswith(("sub-", "ses-")))
        if not read_sidecar(path).get("TrainedOnParticipant", False):
            found[name][parts[0]].append(path)
    return dict(found)


def read_matrices(members: Members) -> Matrices:
    """Read the matrices of one target.

    Raises
    ------
    BadDataError
        One cannot be read, or they are of different parcels.
    """
    first = next(iter(members.values()))[0]
    names, _ = read_matrix(first)
    means = []
    for paths in members.values():
        found = [read_matrix(each) for each in paths]
        for path, (own, _) in zip(paths, found, strict=True):
            if own != names:
                raise BadDataError(
                    f"{path} is of other parcels than {first}: one atlas was changed between the "
                    "runs; run the participant level again for everyone."
                )
        means.append(np.mean([values for _, values in found], axis=0))
    sidecars = [read_sidecar(paths[0]) for paths in members.values()]
    return Matrices(
        participants=tuple(members),
        decoders=tuple(str(each.get("DecoderHash", "")) for each in sidecars),
        names=names,
        values=np.stack(means),
        betas=np.array([each.get("SoftplusBeta", np.nan) for each in sidecars], dtype=np.float64),
        said=sidecars[0],
    )


def pairs_table(found: Matrices, config: EvaluationConfig, *, seed: int) -> pd.DataFrame:
    """Return mean and test of every pair, as `PAIRS_DICTIONARY` describes them."""
    a, b = np.triu_indices(len(found.names))
    values, n = found.pairs, len(found.participants)
    spread = values.std(axis=0, ddof=1) if n > 1 else np.full(len(a), np.nan)
    names = np.array(found.names, dtype=object)
    return pd.DataFrame(
        {
            **found.keys,
            "parcel_a": names[a],
            "parcel_b": names[b],
            "mean": values.mean(axis=0),
            "standard_error": spread / np.sqrt(n),
            **_tested(values, spread, config, seed=seed),
            "df": n - 1,
            "n_participants": n,
        }
    )[list(PAIRS_DICTIONARY)]


def _is_tested(n: int, config: EvaluationConfig) -> bool:
    return n >= FEWEST and config.group_statistics != "off"


def _tested(
    values: NDArray[np.float64],
    spread: NDArray[np.float64],
    config: EvaluationConfig,
    *,
    seed: int,
) -> dict[str, NDArray[np.float64]]:
    """Test pairs that vary over participants; the changes of sign are the same for all targets."""
    found = {name: np.full(values.shape[1], np.nan) for name in ("t", "p", "q", "p_fwe")}
    varying = spread > 1e-12 * np.abs(values).max(axis=0)
    if not _is_tested(len(values), config) or not varying.any():
        return found
    from nilearn.mass_univariate import permuted_ols

    permuted = permuted_ols(
        np.ones((len(values), 1)),
        values[:, varying],
        model_intercept=False,
        n_perm=config.permutations,
        two_sided_test=True,
        random_state=int(np.random.SeedSequence(seed).generate_state(1)[0]),
        n_jobs=1,  # the draws depend on it
        output_type="dict",
    )
    test = stats.ttest_1samp(values[:, varying], 0.0)
    found["t"][varying], found["p"][varying] = test.statistic, test.pvalue
    found["q"][varying] = stats.false_discovery_control(test.pvalue)
    found["p_fwe"][varying] = 10.0 ** -np.asarray(permuted["logp_max_t"])[0]
    return found


def outcome(found: Matrices, pairs: pd.DataFrame, config: EvaluationConfig) -> dict[str, object]:
    """Return the row of a target in the table of tests."""
    n = len(found.participants)
    tested = _is_tested(n, config)
    different = pairs["parcel_a"] != pairs["parcel_b"]
    survives = different & (pairs["p_fwe"] < ALPHA)
    near: Dependence = alike(found.pairs, found.decoders)
    return {
        **found.keys,
        "n_participants": n,
        "n_parcels": len(found.names),
        "pairs_positive": int((survives & (pairs["mean"] > 0)).sum()) if tested else None,
        "pairs_negative": int((survives & (pairs["mean"] < 0)).sum()) if tested else None,
        "n_pairs": int(different.sum()),
        "n_permutations": config.permutations if tested else 0,
        "softplus_beta": float(found.betas.mean()),
        "n_decoders": near.n_decoders,
        "r_same_decoder": near.same,
        "r_other_decoders": near.other,
    }


def write_group_interactions(output_dir: Path, config: RunConfig) -> None:
    """Write the means of the participants' interactions, and their tests.

    Where there are none, what an earlier run wrote is removed.
    """
    pairs: list[pd.DataFrame] = []
    rows: list[dict[str, object]] = []
    for members in find_matrices(output_dir).values():
        found = read_matrices(members)
        if found.is_of_interest:
            pairs.append(pairs_table(found, config.evaluation, seed=config.execution.random_seed))
            rows.append(outcome(found, pairs[-1], config.evaluation))
    kinds = dict.fromkeys(("pairs_positive", "pairs_negative"), "Int64")
    tables = {PAIRS: pairs, TESTS: [pd.DataFrame(rows).astype(kinds)] if rows else []}
    for name, dictionary in ((PAIRS, PAIRS_DICTIONARY), (TESTS, TESTS_DICTIONARY)):
        path = output_dir / f"group_desc-{name}.tsv"
        if tables[name]:
            write_table(path, pd.concat(tables[name], ignore_index=True), dictionary)
            continue
        for stale in (path, path.with_suffix(".json")):
            stale.unlink(missing_ok=True)
