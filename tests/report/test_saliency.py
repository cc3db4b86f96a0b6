from pathlib import Path

import pytest

from fmridecode.report.saliency import SaliencyMap, in_order


def saliency(name: str, target: str, *, method: str = "gradient", truth: str = "") -> SaliencyMap:
    return SaliencyMap(
        path=Path(name),
        method=method,
        target=target,
        true_label=truth,
        n_participants=None,
        sidecar={},
    )


@pytest.mark.parametrize(
    ("name", "target", "truth", "expected"),
    [
        ("sub-01_contrast-heat_desc-gradientToHeat_saliency.nii.gz", "heat", "", True),
        ("sub-01_contrast-heat_desc-gradientToRejection_saliency.nii.gz", "rejection", "", False),
        ("sub-01_task-WM_desc-x_saliency.nii.gz", "working memory (WM)", "", True),
        ("sub-01_task-pain_contrast-heat_desc-x_saliency.nii.gz", "heat", "heat", True),
        ("sub-01_task-pain_contrast-heat_desc-x_saliency.nii.gz", "heat", "warmth", False),
        ("group_desc-gradientToHeat_saliency.nii.gz", "heat", "", True),
    ],
)
def test_only_maps_of_the_true_class_are_shown(
    name: str, target: str, truth: str, expected: bool
) -> None:
    assert saliency(name, target, truth=truth).explains_truth is expected


def test_maps_follow_the_order_of_the_classes_and_the_plain_methods_come_first() -> None:
    maps = (
        saliency("a", "rejection"),
        saliency("b", "heat", method="smoothgrad"),
        saliency("c", "heat", method="gradient"),
        saliency("d", "unknown"),
    )
    ordered = in_order(maps, ("heat", "rejection"))
    assert [each.path.name for each in ordered] == ["c", "b", "a", "d"]
