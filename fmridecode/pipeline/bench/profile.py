"""Where the time of a participant run goes."""

import cProfile
import pstats
import time
from collections.abc import Mapping
from dataclasses import replace

from fmridecode.core.settings import EvaluationConfig
from fmridecode.pipeline.bench.study import Study
from fmridecode.pipeline.levels.run import run_level

STEPS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "index the data set": (("bids/query.py", "look_for_maps"),),
    "read and inflate the maps": (("bids/images.py", "load_image"),),
    "resample": (("bids/resampling.py", "resample"),),
    "judge, z-score": (("bids/plausibility.py", "judge"), ("bids/standardise.py", "_zscored")),
    "keep prepared maps": (
        ("bids/rows.py", "write"),
        ("bids/stack.py", "add"),
        ("bids/stack.py", "finish"),
    ),
    "load and check the decoder": (("pipeline/given.py", "find_given"),),
    "recognise maps that trained it": (("training/leaks.py", "recognised"),),
    "decode, compare with its training maps": (("participant/decode.py", "decode"),),
    "gradient of every class": (("participant/explain.py", "saliency_of"),),
    "CIA and CAD": (("participant/explain.py", "_scores"), ("core/truth.py", "class_maps")),
    "scale, deflate, write the maps": (
        ("participant/explain.py", "_targeted"),
        ("bids/saliency_files.py", "write_map"),
    ),
    "faithfulness": (("participant/faithfulness.py", "faithfulness_tables"),),
    "sanity": (("participant/sanity.py", "sanity_tables"),),
    "reliability": (("participant/reliability.py", "reliability_tables"),),
    "robustness": (("participant/robustness.py", "robustness_tables"),),
    "tables": (("bids/tables.py", "write_table"), ("participant/decode.py", "predictions_table")),
    "settings and descriptions": (
        ("levels/record.py", "write_run"),
        ("bids/derivatives.py", "start_dataset"),
        ("bids/templates.py", "target_grid"),
        ("pipeline/given.py", "record_given"),
        ("pipeline/device.py", "make_repeatable"),
    ),
    "the page, brains drawn": (("pipeline/reports.py", "write_pages"),),
}
"""Functions that each step spends its time in, by the end of the file's path and by name; none
calls another one's."""


def profile(study: Study) -> list[tuple[str, float, float]]:
    """Run the participant level twice, profile the second run, and say where its time went.

    On one core, in seconds of the processor, since what is done in threads cannot be told apart;
    with all that is measured of maps by default, but without panels, of which a study has one a
    class and a single participant would have all.

    Returns
    -------
    list
        Step, seconds, and share of the whole.
    """
    config = replace(
        study.config,
        given=replace(study.config.given, model=str(study.folder / "decoder")),
        space=replace(study.config.space, resolution=0),
        evaluation=EvaluationConfig(panels="off"),
        execution=replace(study.config.execution, nprocs=1, omp_nthreads=1),
    )
    run_level("participant", study.bids, study.folder / "profile-1", config)
    profiler = cProfile.Profile(time.process_time)
    start = time.process_time()
    profiler.runcall(run_level, "participant", study.bids, study.folder / "profile-2", config)
    whole = time.process_time() - start
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
