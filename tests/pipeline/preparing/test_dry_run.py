from pathlib import Path

from fmridecode.config import compose_run
from fmridecode.pipeline.preparing.dry_run import dry_run


def test_with_a_model_maps_of_one_class_will_do_and_the_grid_is_its_own(
    write_maps, tmp_path: Path
) -> None:
    data = write_maps(tmp_path / "bids", ["1"], ["pain"])
    said = dry_run(data, compose_run("default", {"given": {"model": "somewhere"}}))
    assert "decoded in the grid of somewhere" in said
    assert "1 classes" in said
