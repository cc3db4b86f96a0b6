"""A finished OUTPUT_DIR that looks like a real one, without any decoding."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import tomli_w
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from fmridecode.report.derivatives import Derivatives

HOSTILE = "<script>alert(1)</script>"
CLASSES = ("heat", "rejection", f"friend {HOSTILE}")
METHODS = ("gradient", "gradient-x-input", "smoothgrad")
SURVIVOR = ("gradient-x-input", "rank_correlation_absolute")
METRICS_OF_CLASSES = ("precision", "recall", "f1", "roc_auc")
PARTICIPANTS = tuple(f"{number:02d}" for number in range(1, 9))
PARCELS = (*(f"7Networks_{side}_Vis_{k}" for side in ("LH", "RH") for k in (1, 2, 3)), HOSTILE)
SHAPE = (24, 29, 24)
AFFINE = np.array([[8.0, 0, 0, -96], [0, 8, 0, -132], [0, 0, 8, -78], [0, 0, 0, 1]])


def write_table(path: Path, frame: pd.DataFrame, **descriptions: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, sep="\t", index=False, na_rep="n/a")
    dictionary = {name: {"Description": text} for name, text in descriptions.items()}
    path.with_suffix(".json").write_text(json.dumps(dictionary), encoding="utf-8")


def write_map(path: Path, values: NDArray[np.float32], **sidecar: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.Nifti1Image(values, AFFINE).to_filename(path)
    target = path.with_name(path.name.removesuffix(".nii.gz") + ".json")
    target.write_text(json.dumps(sidecar), encoding="utf-8")


def brain_map(generator: np.random.Generator) -> NDArray[np.float32]:
    """Smooth noise within an ellipsoid of the size of a brain."""
    axes = np.meshgrid(*(np.arange(n) for n in SHAPE), indexing="ij")
    millimetres = [AFFINE[i, i] * axes[i] + AFFINE[i, 3] for i in range(3)]
    centre, radii = (0, -18, 8), (66, 82, 62)
    inside = (
        sum(((x - c) / r) ** 2 for x, c, r in zip(millimetres, centre, radii, strict=True)) < 1
    )
    noise = gaussian_filter(generator.standard_normal(SHAPE), 1.4) * inside
    return (noise / noise[inside].std() * inside).astype(np.float32)


def _contrast(name: str) -> str:
    return name.split()[0]


def _write_participant(root: Path, label: str, generator: np.random.Generator) -> None:
    func, rows, scores = root / f"sub-{label}" / "func", [], []
    for index, name in enumerate(CLASSES):
        p = generator.dirichlet(np.ones(3) + 3 * np.eye(3)[index])
        predicted = CLASSES[int(p.argmax())]
        rows.append(
            {
                "participant_id": f"sub-{label}",
                "session_id": None,
                "source": f"bids:maps:sub-{label}_contrast-{_contrast(name)}_statmap.nii.gz",
                "true_label": name,
                "predicted_label": predicted,
                "correct": predicted == name,
                **{f"prob_{each}": value for each, value in zip(CLASSES, p, strict=True)},
                "fold": 1 + PARTICIPANTS.index(label) % 4,
                "seen_in_training": False,
            }
        )
        for order, method in enumerate(METHODS):
            for criterion, targets in (
                ("CIA", [name]),
                ("CAD", [c for c in CLASSES if c != name]),
            ):
                scores += [
                    {
                        "participant_id": f"sub-{label}",
                        "session_id": None,
                        "label": name,
                        "method": method,
                        "criterion": criterion,
                        "target": target,
                        "pearson_r": 0.08 + 0.05 * order + 0.05 * generator.standard_normal(),
                        "n_voxels": 3600,
                        "n_classes": 3,
                    }
                    for target in targets
                ]
            if label == "01":
                contrast = _contrast(name)
                write_map(
                    func / f"sub-01_task-pain_space-S_res-8_contrast-{contrast}"
                    f"_desc-{method.replace('-', '')}To{contrast.title()}_saliency.nii.gz",
                    brain_map(generator),
                    SaliencyMethod=method,
                    TargetClass=name,
                    TrueClass=name,
                    DecoderHash="f3a9c1d27e55aa0b",
                    Temperature=1.31,
                    TrainedOnParticipant=False,
                    SpatialReference="MNI152NLin2009cAsym",
                    SoftwareVersion="0.1.0",
                )
    name = f"sub-{label}_desc"
    write_table(
        func / f"{name}-decoding_predictions.tsv",
        pd.DataFrame(rows),
        true_label="Class of the map.",
    )
    write_table(func / f"{name}-interpretability_scores.tsv", pd.DataFrame(scores))


def _write_decoding(root: Path) -> None:
    bounds = [f"{name}{end}" for name in METRICS_OF_CLASSES for end in ("", "_low", "_high")]
    rows = [(name, 8, 9, *[0.7, 0.5, 0.9] * 4) for name in CLASSES]
    rows[-1] = (CLASSES[-1], 8, 0, *[None] * 3, 0, 0, 0, 0, 0, 0, 0.5, 0.3, 0.7)
    write_table(
        root / "group_desc-decoding_classes.tsv",
        pd.DataFrame(rows, columns=["label", "n_maps", "n_predicted", *bounds]),
        f1="Harmonic mean.",
    )
    columns = "metric observed null_mean null_high p n_permutations"
    write_table(
        root / "group_desc-decoding_permutation.tsv",
        pd.DataFrame([("accuracy", 0.708, 0.333, 0.5, 0.0002, 5000)], columns=columns.split()),
    )
    columns = (
        "metric decoder baseline baseline_low baseline_high difference ci_low ci_high t df p "
        "p_sign_flip n_participants n_maps"
    )
    tests = [
        ("accuracy", 0.708, 0.667, 0.55, 0.78, 0.041, -0.08, 0.17, 0.63, 7, 0.55, 0.61, 8, 24),
        ("log_loss", 0.742, 0.81, 0.7, 0.9, -0.068, -0.12, -0.01, -2.6, 7, 0.035, 0.04, 8, 24),
    ]
    write_table(
        root / "group_desc-decoding_comparison.tsv",
        pd.DataFrame(tests, columns=columns.split()),
        difference="Decoder minus baseline.",
    )
    scores = [("uncalibrated", 0.81, 0.5, 0.2, 24), ("calibrated", 0.742, 0.46, 0.08, 24)]
    write_table(
        root / "group_desc-decoding_calibration.tsv",
        pd.DataFrame(scores, columns=["stage", "log_loss", "brier_score", "ece", "n_maps"]),
    )
    bins = [
        (stage, low, low + 0.2, 8, low + 0.1, low + gap)
        for stage, gap in (("uncalibrated", 0.0), ("calibrated", 0.08))
        for low in (0.4, 0.6, 0.8)
    ]
    columns = "stage bin_low bin_high n_maps confidence accuracy"
    write_table(
        root / "group_desc-decoding_reliability.tsv", pd.DataFrame(bins, columns=columns.split())
    )


def _write_faithfulness(root: Path) -> None:
    rows = [
        (method, order, "zero", curve, reference, 0.1 * k, 0.1 * k - 0.02, 0.1 * k + 0.02, 24, 8)
        for k, method in enumerate(METHODS)
        for order in ("absolute", "signed")
        for curve in ("deletion", "insertion")
        for reference in ("random", "smooth-random")
    ]
    columns = "method order replacement curve reference gain ci_low ci_high n_maps n_participants"
    write_table(
        root / "group_desc-faithfulness_summary.tsv",
        pd.DataFrame(rows, columns=columns.split()),
        gain="Mean gain.",
    )
    curves = [
        (method, order, "zero", curve, series, step / 10, p, p - 0.03, p + 0.03, 8)
        for method in METHODS
        for order in ("absolute", "signed")
        for curve in ("deletion", "insertion")
        for k, series in enumerate(("map", "random", "smooth-random"))
        for step in range(11)
        for p in (0.4 + 0.3 * (1 - step / 10) ** (3 - k),)
    ]
    columns = (
        "method order replacement curve series share probability ci_low ci_high n_participants"
    )
    write_table(
        root / "group_desc-faithfulness_curves.tsv", pd.DataFrame(curves, columns=columns.split())
    )


def _write_stability(root: Path) -> None:
    """Write sanity, reliability and robustness; gradient x input survives in magnitude."""
    rows = [
        (
            method, randomised, depth, n_layers, layer, similarity, value, value - 0.02,
            value + 0.02, value, marked, 24, 1, 8,
        )
        for method in METHODS
        for randomised, depth, n_layers, layer in (
            ("weights", 1, 2, "logits"),
            ("weights", 2, 2, "convolution 1"),
            ("labels", None, None, None),
        )
        for similarity in ("rank_correlation", "rank_correlation_absolute", "ssim")
        for value in (0.64 if (method, similarity) == SURVIVOR else 0.01,)
        for marked in (
            None if depth == 1 or similarity == "ssim" else str(value > 0.5).lower(),
        )
    ]  # fmt: skip
    columns = (
        "method randomised depth n_layers layer similarity value ci_low ci_high magnitude "
        "survives n_maps n_draws n_participants"
    )
    write_table(
        root / "group_desc-sanity_summary.tsv",
        pd.DataFrame(rows, columns=columns.split()).astype({"depth": "Int64"}),
        value="Mean.",
    )
    rows = [
        (method, measure, 0.4, 0.35, 0.45, str(measure == "folds").lower(), 24, 8)
        for method in METHODS
        for measure in ("members", "folds", "sensitivity")
    ]
    columns = "method measure value ci_low ci_high seen_in_training n_maps n_participants"
    write_table(
        root / "group_desc-reliability_summary.tsv", pd.DataFrame(rows, columns=columns.split())
    )
    rows = [
        (f"group_{name}.nii.gz", name, method, measure, 0.5, *interval, 8, 4, 200)
        for name in CLASSES
        for method in METHODS
        for measure, interval in (
            ("participants", (0.4, 0.6)),
            ("other-decoders", (0.3, 0.5)),
            ("split-half", (None, None)),
            ("spearman-brown", (0.6, 0.8)),
        )
    ]
    columns = "map label method measure value ci_low ci_high n_participants n_decoders n_splits"
    write_table(
        root / "group_desc-reliability_maps.tsv", pd.DataFrame(rows, columns=columns.split())
    )
    rows = [
        (metric, epsilon, p, p - 0.05, p + 0.05, 1 / 3 if metric == "accuracy" else None, 5, 0.1,
         24, 8)
        for metric in ("accuracy", "probability")
        for epsilon in (0, 0.0125, 0.025, 0.05, 0.1, 0.2)
        for p in (0.7 - 3 * epsilon,)
    ]  # fmt: skip
    columns = (
        "metric epsilon value ci_low ci_high chance steps epsilon_trained n_maps n_participants"
    )
    write_table(
        root / "group_desc-robustness_summary.tsv", pd.DataFrame(rows, columns=columns.split())
    )


def _write_group(root: Path, generator: np.random.Generator) -> None:
    write_table(
        root / "group_desc-decoding_metrics.tsv",
        pd.DataFrame(
            [
                ("accuracy", 0.708, 0.583, 0.833, 8, 24, 1 / 3),
                ("balanced_accuracy", 0.71, 0.58, 0.84, 8, 24, 1 / 3),
                ("task_accuracy", 0.875, 0.75, 0.96, 8, 24, 5 / 9),
                ("log_loss", 0.742, 0.61, 0.9, 8, 24, np.log(3)),
            ],
            columns=[
                "metric", "estimate", "ci_low", "ci_high", "n_participants", "n_maps", "chance",
            ],
        ),
        estimate="Value over all maps.",
    )  # fmt: skip
    counts = pd.DataFrame([[6, 1, 1], [2, 5, 1], [1, 1, 6]], columns=list(CLASSES))
    counts.insert(0, "true_label", CLASSES)
    write_table(root / "group_desc-confusion_counts.tsv", counts)
    _write_decoding(root)
    _write_faithfulness(root)
    _write_stability(root)
    single = {
        f"{criterion}_{method}": 0.1 + 0.06 * order + 0.05 * generator.standard_normal(8)
        for criterion in ("CIA", "CAD")
        for order, method in enumerate(METHODS)
    }
    participants = [*(f"sub-{label}" for label in PARTICIPANTS[:-1]), f"sub-{HOSTILE}"]
    write_table(
        root / "group_desc-participants_summary.tsv",
        pd.DataFrame(
            {
                "participant_id": participants,
                "n_maps": 3,
                "accuracy": generator.choice([1 / 3, 2 / 3, 1.0], 8),
                **single,
            }
        ),
        n_maps="Maps decoded.",
    )
    summary, tests = [], []
    for name, values in single.items():
        criterion, _, method = name.partition("_")
        error = values.std(ddof=1) / np.sqrt(8)
        low, high = values.mean() - 2 * error, values.mean() + 2 * error
        summary.append((method, criterion, values.mean(), error, low, high, 24, 8))
    for criterion in ("CIA", "CAD"):
        for unit, df in (("participant", 7), ("example", 23)):
            for a, b, p in ((0, 1, 0.0311), (0, 2, 0.00002), (1, 2, 0.4)):
                tests.append(
                    (criterion, unit, METHODS[a], METHODS[b], -0.06 * (b - a), -2.7, df, p / 3, p)
                )
    columns = "method criterion mean standard_error ci_low ci_high n_maps n_participants"
    write_table(
        root / "group_desc-interpretability_summary.tsv",
        pd.DataFrame(summary, columns=columns.split()),
    )
    columns = "criterion unit method_a method_b difference t df p p_bonferroni"
    write_table(
        root / "group_desc-interpretability_tests.tsv",
        pd.DataFrame(tests, columns=columns.split()),
    )
    write_table(
        root / "group_desc-excluded_participants.tsv",
        pd.DataFrame({"participant_id": ["sub-99"], "reason": [f"constant map {HOSTILE}"]}),
    )
    for name in CLASSES:
        for method in METHODS:
            contrast = _contrast(name)
            write_map(
                root / f"group_task-pain_space-S_res-8_contrast-{contrast}"
                f"_desc-{method.replace('-', '')}To{contrast.title()}_saliency.nii.gz",
                brain_map(generator),
                SaliencyMethod=method,
                TargetClass=name,
                NumberOfParticipants=8,
            )


def _write_regions(root: Path, generator: np.random.Generator) -> None:
    """Write tests of the mean maps, in which SmoothGrad finds voxels, peaks, and parcels."""
    tests, peaks, parcels, single = [], [], [], []
    for name in CLASSES:
        for method in METHODS:
            contrast = _contrast(name)
            stem = f"group_task-pain_space-S_res-8_contrast-{contrast}"
            described = f"desc-{method.replace('-', '')}To{contrast.title()}"
            found = method == "smoothgrad"
            keys = {"label": name, "target": name, "method": method}
            tests.append(
                {
                    "map": f"{stem}_{described}_saliency.nii.gz",
                    **keys,
                    "n_participants": 8,
                    "df": 7,
                    "n_voxels": 3600,
                    "t_min": -6.1,
                    "t_max": 9.3,
                    "p_fwe_min": 0.002 if found else 0.21,
                    "threshold_t": 2.5 if found else None,
                    "voxels_positive": 31 if found else 0,
                    "voxels_negative": 12 if found else 0,
                    "n_permutations": 2000,
                    "n_decoders": 4,
                    "r_same_decoder": 0.08 if method == "gradient-x-input" else 0.93,
                    "r_other_decoders": 0.05,
                }
            )
            write_map(root / f"{stem}_stat-t_{described}_statmap.nii.gz", 2 * brain_map(generator))
            peaks += [
                {
                    "map": f"{stem}_{described}_saliency.nii.gz",
                    **keys,
                    "basis": "fwe" if found else "uncorrected",
                    "cluster": cluster,
                    "x": -36.0,
                    "y": 4.0 * rank,
                    "z": 12.0,
                    "value": 9.3 - rank,
                    "p_fwe": 0.002 if found else 0.4,
                    "size_mm3": None if cluster == "1a" else 4096,
                    "region": f"insula {HOSTILE}" if rank == 0 else None,
                }
                for rank, cluster in enumerate(("1", "1a", *map(str, range(2, 14))))
            ]
            parcels += [
                {
                    **keys,
                    "parcel": f"{parcel} {HOSTILE}",
                    "index": index,
                    "n_voxels": 40,
                    "mean": 0.3 * (4 - index),
                    "ci_low": 0.3 * (4 - index) - 0.2,
                    "ci_high": 0.3 * (4 - index) + 0.2,
                    "t": 4.0 - index,
                    "df": 7,
                    "p": 0.01 * index,
                    "q": 0.02 * index,
                    "n_participants": 8,
                }
                for index, parcel in enumerate(("insula", "thalamus", "precuneus"), start=1)
            ]
            single += [
                {
                    "participant_id": f"sub-{label}",
                    **keys,
                    **dict(zip(("parcel_1", "parcel_2", "parcel_3"), values, strict=True)),
                }
                for label, values in zip(PARTICIPANTS, generator.random((8, 3)), strict=True)
            ]
    write_table(root / "group_desc-maps_tests.tsv", pd.DataFrame(tests), threshold_t="Critical.")
    write_table(root / "group_desc-clusters_peaks.tsv", pd.DataFrame(peaks))
    write_table(root / "group_desc-parcels_saliency.tsv", pd.DataFrame(parcels))
    write_table(root / "group_desc-parcels_participants.tsv", pd.DataFrame(single))


def _write_interactions(root: Path, generator: np.random.Generator) -> None:
    """Write matrices of 7 parcels of sub-01, and their means, strongest between two of them."""
    n, keys = len(PARCELS), []
    a, b = np.triu_indices(n)
    for name in CLASSES:
        upper = 0.1 * generator.standard_normal((n, n))
        matrix = np.triu(upper) + np.triu(upper, 1).T
        matrix[1, 4] = matrix[4, 1] = -0.8
        path = (
            root / "sub-01" / "func" / f"sub-01_seg-A_contrast-{_contrast(name)}_interactions.tsv"
        )
        frame = pd.DataFrame(matrix, columns=list(PARCELS))
        frame.insert(0, "parcel", PARCELS)
        write_table(path, frame, parcel="Name of the parcel.")
        about = {
            "TargetClass": name, "TrueClass": name, "Atlas": "atlas.nii.gz", "SoftplusBeta": 32.0,
            "SoftplusLogitChange": 0.031, "SoftplusSameClass": 1.0,
            "Effects": dict(zip(PARCELS, np.linspace(-1, 1, n), strict=True)),
        }  # fmt: skip
        path.with_suffix(".json").write_text(json.dumps(about), encoding="utf-8")
        keys.append(
            pd.DataFrame(
                {
                    "label": name, "target": name, "atlas": "atlas.nii.gz",
                    "parcel_a": np.array(PARCELS, dtype=object)[a],
                    "parcel_b": np.array(PARCELS, dtype=object)[b],
                    "mean": matrix[a, b], "standard_error": 0.1, "t": matrix[a, b] / 0.1,
                    "df": 7, "p": 0.01, "q": 0.02,
                    "p_fwe": np.where(np.abs(matrix[a, b]) > 0.5, 0.012, 0.7),
                    "n_participants": 8,
                }
            )
        )  # fmt: skip
    write_table(root / "group_desc-interactions_pairs.tsv", pd.concat(keys), mean="Mean.")
    rows = [(name, name, "atlas.nii.gz", 8, n, 0, 1, 21, 500, 32, 4, 0.8, 0.3) for name in CLASSES]
    columns = (
        "label target atlas n_participants n_parcels pairs_positive pairs_negative n_pairs "
        "n_permutations softplus_beta n_decoders r_same_decoder r_other_decoders"
    )
    frame = pd.DataFrame(rows, columns=columns.split())
    write_table(root / "group_desc-interactions_tests.tsv", frame, target="Class.")


def _write_model(root: Path) -> None:
    folder = root / "models" / "cnn-adversarial"
    roles, epochs = [], []
    for fold in range(1, 5):
        for index, label in enumerate(PARTICIPANTS):
            offset = (index - fold + 1) % 4
            roles.append((fold, label, {0: "test", 1: "validation"}.get(offset, "train")))
        for epoch in range(12):
            loss = 1.1 * np.exp(-epoch / 5)
            validation = loss + 0.02 * fold + 0.008 * (epoch - 6) ** 2 * (epoch > 6) + 0.12
            epochs.append((fold, 1, epoch, loss, validation, 0.72, 0.6, epoch == 7))
    write_table(
        folder / "folds.tsv", pd.DataFrame(roles, columns=["fold", "participant_id", "role"])
    )
    columns = "fold member epoch train_loss validation_loss validation_accuracy robust_accuracy"
    write_table(
        folder / "training.tsv", pd.DataFrame(epochs, columns=[*columns.split(), "selected"])
    )


CONFIG: dict[str, Any] = {
    "space": {"space": "MNI152NLin2009cAsym", "resolution": 8, "zscore": "brain"},
    "model": {"architecture": "cnn", "filters": [8, 8], "linear_path": True, "ensemble": 1},
    "training": {
        "scheme": "adversarial", "epsilon": 0.1, "steps": 4, "epochs": 24, "batch_size": 16,
        "learning_rate": 0.001, "l2": 1e-5,
    },
    "split": {"folds": 4, "holdout": False, "validation_share": 0.2},
    "saliency": {"methods": list(METHODS), "smoothgrad_sigma": 2.0, "smoothgrad_samples": 20},
    "execution": {"random_seed": 7},
}  # fmt: skip


def _write_plausibility(root: Path) -> None:
    """Write what the check says of every map, of which one, of sub-02, is out of line."""
    rows = [
        {
            "source": f"bids:maps:sub-{label}_contrast-{_contrast(name)}_statmap.nii.gz",
            "participant_id": f"sub-{label}",
            "label": name,
            "coverage": 0.9,
            "cut_inferior": 8.0,
            "sd": 1.2,
            "reasons": None,
        }
        for label in PARTICIPANTS
        for name in CLASSES
    ]
    rows[4] |= {"reasons": f"cut by 32 mm, inferior {HOSTILE}", "cut_inferior": 32.0}
    rows[4]["source"] += HOSTILE
    write_table(
        root / "logs" / "plausibility.tsv",
        pd.DataFrame(rows),
        coverage=f"An outlier below 0.8 {HOSTILE}.",
    )


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OUTPUT_DIR of 8 participants and 3 classes, after the group level. Not to be changed."""
    root = tmp_path_factory.mktemp("derivatives")
    generator = np.random.default_rng(0)
    for label in PARTICIPANTS:
        _write_participant(root, label, generator)
    _write_group(root, generator)
    _write_regions(root, generator)
    _write_interactions(root, generator)
    _write_model(root)
    _write_plausibility(root)
    (root / "logs" / "run.toml").write_text(tomli_w.dumps(CONFIG), encoding="utf-8")
    (root / "logs" / "CITATION.md").write_text("McClure et al., 2020\n", encoding="utf-8")
    description = {
        "Name": f"Pain and rejection {HOSTILE}",
        "BIDSVersion": "1.10.0",
        "DatasetType": "derivative",
        "GeneratedBy": [{"Name": "fmridecode", "Version": "0.1.0"}],
        "DatasetLinks": {"maps": "file:///data/maps"},
    }
    (root / "dataset_description.json").write_text(json.dumps(description), encoding="utf-8")
    return root


@pytest.fixture(scope="session")
def hostile() -> str:
    """Markup within names of a class, a participant and the data set."""
    return HOSTILE


@pytest.fixture
def config() -> dict[str, Any]:
    """The resolved config of the finished OUTPUT_DIR."""
    return copy.deepcopy(CONFIG)


@pytest.fixture
def smooth_map() -> NDArray[np.float32]:
    """Smooth noise within a brain, 0 outside."""
    return brain_map(np.random.default_rng(1))


@pytest.fixture
def store(tmp_path: Path) -> Callable[[NDArray[np.float32]], Path]:
    """Write an array as a NIfTI file in MNI space."""

    def write_nifti(values: NDArray[np.float32]) -> Path:
        write_map(tmp_path / "map.nii.gz", values)
        return tmp_path / "map.nii.gz"

    return write_nifti


@pytest.fixture
def derivatives(tmp_path: Path) -> Derivatives:
    """An empty OUTPUT_DIR."""
    return Derivatives(root=tmp_path)


@pytest.fixture
def write(derivatives: Derivatives) -> Callable[[str, str], Path]:
    """Write a text file below the empty OUTPUT_DIR."""

    def write_text(name: str, text: str) -> Path:
        path = derivatives.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_text
