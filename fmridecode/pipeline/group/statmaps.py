"""The t map and the maps of corrected p of a group map, and its row in the table of tests."""

from pathlib import Path

import numpy as np

from fmridecode.bids.derivatives import write_map
from fmridecode.config import RunConfig
from fmridecode.pipeline.group.inference import ALPHA, CLUSTER_MAPS, FORMING, Inference
from fmridecode.pipeline.group.stack import ENDING, Stack

TESTS_DICTIONARY = {
    "map": "Mean map that is tested.",
    "label": "True class of the maps that are explained.",
    "target": "Class, or difference of two, whose probability is explained.",
    "method": "Saliency method.",
    "n_participants": "Participants, each counted once.",
    "df": "Degrees of freedom of t.",
    "n_voxels": "Voxels tested.",
    "t_min": "Smallest t.",
    "t_max": "Largest t.",
    "p_fwe_min": "Smallest two-sided p, corrected for all voxels of the map by the maximum of |t| "
    "over permutations; not corrected for the number of maps.",
    "threshold_t": f"Smallest |t| with a corrected p below {ALPHA}; n/a where no voxel survives.",
    "voxels_positive": f"Voxels with t above 0 and a corrected p below {ALPHA}.",
    "voxels_negative": "The same with t below 0.",
    "voxels_cluster_size": f"Voxels in clusters (each voxel p < {FORMING}, uncorrected) whose "
    f"size has a corrected p below {ALPHA}; n/a unless --group-statistics full.",
    "voxels_cluster_mass": "The same by the mass of the clusters.",
    "n_permutations": "Random changes of the signs of participants' maps.",
    "n_decoders": "Decoders that made the maps.",
    "r_same_decoder": "Mean correlation of the maps of two participants explained by the same "
    "decoder. Near 1, the maps are the decoder's rather than the participants', who are then not "
    "independent, and p is far too small: it says that the decoders agree.",
    "r_other_decoders": "The same of two participants explained by different decoders.",
}
_DEPENDENCE = (
    "Participants of one fold share a decoder, and the decoders of different folds share most of "
    "their training participants. So the test is of how consistent the maps are over "
    "participants, given these decoders, not over trainings. Where CorrelationSameDecoder is "
    "near 1, the maps are the decoders' rather than the participants', and p is far too small."
)
_DESCRIPTIONS = {
    "t": "One-sample t over participants, in every voxel.",
    "logpMaxT": "-log10 of the two-sided p of the voxel, corrected for all voxels of the map by "
    "the maximum of |t| over permutations.",
    "logpMaxSize": "-log10 of the two-sided p of the voxel's cluster, corrected by the largest "
    f"cluster over permutations. Clusters are of voxels with p < {FORMING}, joined by faces.",
    "logpMaxMass": "-log10 of the two-sided p of the voxel's cluster, corrected by the largest "
    f"cluster mass over permutations. Clusters are of voxels with p < {FORMING}, joined by "
    "faces.",
}


def write_statistics(
    output_dir: Path, stack: Stack, inference: Inference, config: RunConfig
) -> tuple[Path, ...]:
    """Write the t map and the maps of corrected p, and return their files."""
    found = inference.dependence
    tested = {
        "Test": "One-sample, two-sided, of participants' maps against 0",
        "DegreesOfFreedom": inference.n_participants - 1,
        "NumberOfVoxels": inference.n_voxels,
        "NumberOfDecoders": found.n_decoders,
        "CorrelationSameDecoder": _number(found.same),
        "CorrelationOtherDecoders": _number(found.other),
        "Note": _DEPENDENCE,
        **origin(output_dir, stack),
    }
    permuted = {
        "NumberOfPermutations": inference.n_permutations,
        "RandomSeed": config.execution.random_seed,
        "FamilyWise": "The family is the voxels of this map, not the maps of all classes and "
        "methods.",
    }
    paths = []
    for stat, values in {"t": inference.t, **inference.corrected}.items():
        name = stack.name.replace("_desc-", f"_stat-{stat}_desc-")
        path = output_dir / (name.removesuffix(ENDING) + "_statmap.nii.gz")
        sidecar = {
            "Description": f"{_DESCRIPTIONS[stat]} {stack.said['Description']}",
            **tested,
            **({} if stat == "t" else permuted),
        }
        write_map(path, values, grid=stack.grid, mask=stack.covered, sidecar=sidecar)
        paths.append(path)
    return tuple(paths)


def origin(output_dir: Path, stack: Stack) -> dict[str, object]:
    """Return what the sidecars of all maps of a stack say."""
    kept = ("Mask", "SaliencyMethod", "TargetClass", "TrueClass", "Sign", "ResampledFrom")
    return {
        "NumberOfParticipants": len(stack.participants),
        "Sources": [f"bids::{each.relative_to(output_dir)}" for each in stack.sources],
        **{key: stack.said[key] for key in kept if key in stack.said},
    }


def outcome(stack: Stack, inference: Inference) -> dict[str, object]:
    """Return the row of a map in the table of tests."""
    survives, t, alike = inference.survives, inference.t, inference.dependence
    clusters = {
        f"voxels_cluster_{stat.removeprefix('logpMax').lower()}": int(
            (inference.corrected[stat] > -np.log10(ALPHA)).sum()
        )
        if stat in inference.corrected
        else None
        for stat in CLUSTER_MAPS
    }
    return {
        "map": stack.name,
        "label": stack.label,
        "target": stack.target,
        "method": stack.method,
        "n_participants": inference.n_participants,
        "df": inference.n_participants - 1,
        "n_voxels": inference.n_voxels,
        "t_min": float(t.min()),
        "t_max": float(t.max()),
        "p_fwe_min": float(10.0 ** -inference.corrected["logpMaxT"].max()),
        "threshold_t": float(np.abs(t[survives]).min()) if survives.any() else np.nan,
        "voxels_positive": int((survives & (t > 0)).sum()),
        "voxels_negative": int((survives & (t < 0)).sum()),
        **clusters,
        "n_permutations": inference.n_permutations,
        "n_decoders": alike.n_decoders,
        "r_same_decoder": alike.same,
        "r_other_decoders": alike.other,
    }


def _number(value: float) -> float | None:
    """Round for a sidecar; what is not known is null there."""
    return round(value, 4) if np.isfinite(value) else None
