"""The benchmarks run where there is nothing but torch, numpy and scipy."""

import json
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

BLOCKED = """
import runpy, sys

sys.modules.update(dict.fromkeys({blocked}))
sys.argv = ["bench", *{arguments}]
runpy.run_module("fmridecode.experiments.benchmarks", run_name="__main__")
"""
THERE = {"torch", "numpy", "scipy", "jinja2"}  # jinja2 comes with torch
IMPORTED_AS = {"pybids": "bids", "scikit-learn": "sklearn", "tomli-w": "tomli_w"}


def test_the_benchmarks_need_nothing_beyond_torch_numpy_and_scipy(tmp_path: Path) -> None:
    declared = {re.split(r"[^\w-]", each)[0] for each in requires("fmridecode")}
    blocked = {IMPORTED_AS.get(name, name) for name in declared - THERE} | {"captum.attr"}
    assert {"jaxtyping", "captum", "pandas", "nibabel", "typer", "rich", "sklearn"} <= blocked
    out = tmp_path / "bench.json"
    arguments = ["--grid", "12", "11", "10", "--batch", "2", "--repeats", "1", "--json", str(out)]
    program = BLOCKED.format(blocked=blocked, arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "captum is not installed" in done.stderr
    found = json.loads(out.read_text())
    assert [each["name"].split(",")[0] for each in found] == [
        "adversarial step",
        "adversarial step",
        "gradient maps",
        "SmoothGrad",
    ]
    for each in found:
        assert {"name", "ours_s", "reference_s", "ratio", "floor_s", "peak_mb"} <= set(each)
        assert each["ratio"] == each["reference_s"] / each["ours_s"]
    assert done.stdout.startswith("| what | ours |")
