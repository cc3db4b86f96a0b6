import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

from fmridecode.report import write_summary
from fmridecode.report.derivatives import Derivatives
from fmridecode.report.group import summary

METRICS = "metric\testimate\tci_low\tci_high\tn_participants\tn_maps\tchance\n"
ROW = "accuracy\t0.5\t0.4\t0.6\t9\t36\t0.25\n"


@pytest.fixture(scope="module")
def copy(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the finished run without its maps and with the summary."""
    ignored = shutil.ignore_patterns("*.nii.gz", "*.html", "figures", "*_saliency.json")
    root = tmp_path_factory.mktemp("summary") / "out"
    shutil.copytree(finished, root, ignore=ignored)
    write_summary(root)
    return root


def read(root: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((root / "group_desc-summary.json").read_text("utf-8"))
    return content


def checked(root: Path) -> dict[str, Any]:
    """Return the summary after a check against the schema beside it."""
    content = read(root)
    schema = json.loads((root / content["$schema"]).read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(content, schema)
    return content


def test_it_keeps_to_the_schema_beside_it(copy: Path) -> None:
    assert set(checked(copy)) >= {"decoding", "comparison", "alignment", "faithfulness"}


def test_its_numbers_are_those_of_the_tables_that_it_names(copy: Path) -> None:
    content = read(copy)

    def table(part: str) -> pd.DataFrame:
        return pd.read_csv(copy / content[part]["table"], sep="\t")

    metrics = table("decoding").set_index("metric")
    for name, each in content["decoding"]["metrics"].items():
        for column in ("estimate", "ci_low", "ci_high", "chance"):
            assert each[column] == pytest.approx(metrics.loc[name, column])
    compared = table("comparison").set_index("metric")
    for name, each in content["comparison"]["metrics"].items():
        for column, value in each.items():
            assert value == pytest.approx(compared.loc[name, column])
    scores = table("alignment").set_index(["criterion", "method"])["mean"]
    for criterion in ("CIA", "CAD"):
        assert content["alignment"][criterion]["best"] == scores[criterion].idxmax()
    gains = table("faithfulness").set_index(["method", "order", "curve", "reference"])["gain"]
    for method in content["faithfulness"]["methods"]:
        for each in method["gains"]:
            key = (method["method"], each["order"], each["curve"], "smooth-random")
            assert each["gain"] == pytest.approx(gains[key])
    assert content["participants"]["n_excluded"] == 1
    assert all((copy / name).is_file() for name in content["tables"])


def test_a_summary_table_of_any_other_measure_is_taken_over(
    derivatives: Derivatives, write: Callable[[str, str], Path]
) -> None:
    write("group_desc-decoding_metrics.tsv", METRICS + ROW)
    write("group_desc-other_summary.tsv", "method\tr\tchanged\ngradient\tn/a\ttrue\n")
    write_summary(derivatives.root)
    measures = checked(derivatives.root)["measures"]
    assert measures == {
        "other_summary": {
            "table": "group_desc-other_summary.tsv",
            "rows": [{"method": "gradient", "r": None, "changed": True}],
        }
    }


def test_where_nothing_was_decoded_there_is_no_summary(
    derivatives: Derivatives, write: Callable[[str, str], Path]
) -> None:
    metrics = write("group_desc-decoding_metrics.tsv", METRICS + ROW)
    write_summary(derivatives.root)
    assert checked(derivatives.root)["decoding"]["verdict"] == "above chance"
    metrics.unlink()
    write_summary(derivatives.root)
    assert not list(derivatives.root.glob("group_desc-summary*"))


def test_the_page_links_it(copy: Path) -> None:
    text = str(summary.build(Derivatives(root=copy))[-1].text)
    assert "href='group_desc-summary.json'" in text
