"""Where the time of a participant run goes."""

import cProfile
import pstats
import time
from collections.abc import Mapping
from dataclasses import replace

from fmridecode.pipeline.bench.study import Study
from fmridecode.pipeline.levels import run_level

STEPS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "index the data set": (("query.py", "look_for_maps"),),
    "read and inflate the maps": (("images.py", "load_image"),),
    "resample": (("resampling.py", "resample"),),
    "judge, z-score": (("plausibility.py", "judge"), ("standardise.py", "_zscored")),
    "keep prepared maps": (
        ("stack.py", "load_stack"),
        ("stack.py", "kept_rows"),
        ("rows.py", "write"),
        ("stack.py", "add"),
        ("stack.py", "finish"),
    ),
    "load and check the decoder": (("bundle.py", "load"),),
    "decode": (("decode.py", "decode"),),
    "gradient of every class": (("explain.py", "saliency_of"),),
    "CIA and CAD": (("criteria.py", "score"),),
    "scale, deflate, write the maps": (
        ("explain.py", "_scaled"),
        ("saliency_files.py", "write_map"),
    ),
    "the page, brains drawn": (("reports.py", "write_pages"),),
}
"""Functions that each step spends its time in, by file and name; none calls another one's."""


def profile(study: Study) -> list[tuple[str, float, float]]:
    """Run the participant level twice, profile the second run, and say where its time went.

    Returns
    -------
    list
        Step, seconds, and share of the whole.
    """
    config = replace(
        study.config,
        given=replace(study.config.given, model=str(study.folder / "decoder")),
        space=replace(study.config.space, resolution=0),
        execution=replace(study.config.execution, nprocs=1),
    )
    run_level("participant", study.bids, study.folder / "profile-1", config)
    profiler = cProfile.Profile()
    start = time.perf_counter()
    profiler.runcall(run_level, "participant", study.bids, study.folder / "profile-2", config)
    whole = time.perf_counter() - start
    found = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    rows = []
    for step, functions in STEPS.items():
        seconds = sum(
            cumulative
            for (path, _, name), (_, _, _, cumulative, _) in found.items()
            if any(path.endswith(f"/{file}") and name == wanted for file, wanted in functions)
        )
        rows.append((step, seconds, seconds / whole))
    rest = whole - sum(seconds for _, seconds, _ in rows)
    return [*sorted(rows, key=lambda row: -row[1]), ("all else", rest, rest / whole)]
