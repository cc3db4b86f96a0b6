"""The output as a BIDS derivative data set."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fmridecode.atomic import make_folder, sweep, write_atomically
from fmridecode.bids.names import group_path, map_path, table_path
from fmridecode.bids.saliency_files import write_map
from fmridecode.bids.tables import read_table, write_table
from fmridecode.errors import CannotCreateError, UsageError

__all__ = [
    "group_path",
    "map_path",
    "read_table",
    "start_dataset",
    "table_path",
    "write_map",
    "write_table",
]

NAME = "fmridecode"
BIDS_VERSION = "1.10.0"
CODE_URL = "https://arxiv.org/abs/2004.11114"

BIDSIGNORE = """\
# Suffixes that the BIDS schema does not have
sub-*/**/*_saliency.nii.gz
sub-*/**/*_saliency.json
sub-*/**/*_statmap.nii.gz
sub-*/**/*_statmap.json
sub-*/**/*_panel.nii.gz
sub-*/**/*_panel.json
sub-*/**/*_predictions.tsv
sub-*/**/*_predictions.json
sub-*/**/*_scores.tsv
sub-*/**/*_scores.json
sub-*/**/*_curves.tsv
sub-*/**/*_curves.json
sub-*/**/*_interactions.tsv
sub-*/**/*_interactions.json
# Reports, and tables and maps over all participants
sub-*.html
group.html
group_*.tsv
group_*_saliency.nii.gz
group_*_statmap.nii.gz
group_*.json
/figures
# Decoders, logs and resolved configurations, prepared maps
/models
/logs
/work
"""

README = """\
# fmridecode output

Maps of one participant's brain that show where a decoder finds the information by which it tells
tasks or conditions apart, or by which it predicts a number such as the age. Every participant's
maps and predictions come from a decoder that was not trained on that participant, unless a sidecar
says so (`TrainedOnParticipant`).

- `sub-*/**/func/*_saliency.nii.gz`: signed saliency maps, on the grid of the template. `contrast-`
  and `task-` name the map that was decoded, `desc-` the method and the class or number explained.
- `sub-*/**/func/*_desc-zscored_statmap.nii.gz`: where a number is decoded, the map as the decoder
  saw it.
- `sub-*/**/func/*_predictions.tsv`: what the decoder said of each map.
- `sub-*/**/func/*_scores.tsv`: how well each saliency map agrees with the activation, and what
  else was measured of it: faithfulness, sanity, reliability, robustness.
- `sub-*/**/func/*_interactions.tsv`: how the parcels of an atlas (`seg-`) interact in the decoder.
- `group_*`: the same over all participants. `group.html`, `sub-*.html`: to be read.
- `models/`: the decoders. `logs/`: the configuration that re-runs the job, and what to cite.

Each table and map has a JSON file beside it that explains it. `bids:NAME:path` in `Sources` is a
path in the data set NAME of `DatasetLinks`, in `dataset_description.json`.
"""


def start_dataset(output_dir: Path, links: Mapping[str, Path]) -> None:
    """Create the output data set, or bring what describes it up to date.

    Writes ``dataset_description.json``, ``.bidsignore`` and ``README.md``.

    Parameters
    ----------
    links
        The data sets that maps come from, see `fmridecode.bids.datasets.map_datasets`.

    Raises
    ------
    UsageError
        OUTPUT_DIR is one of the input data sets: input is never written to.
    CannotCreateError, ReadWriteError
        OUTPUT_DIR belongs to another pipeline, or cannot be written.
    """
    from fmridecode import __version__

    for name, path in links.items():
        if output_dir.resolve() == path.resolve():
            raise UsageError(
                f"OUTPUT_DIR {output_dir} is the input data set {name!r}, which is never written "
                "to; name another folder."
            )
    make_folder(output_dir)
    _check_ours(output_dir)
    sweep(output_dir)
    described = json.dumps(_description(links, __version__), indent=2, ensure_ascii=False)
    _write(output_dir / "dataset_description.json", described + "\n")
    _write(output_dir / ".bidsignore", BIDSIGNORE)
    _write(output_dir / "README.md", README)


def _description(links: Mapping[str, Path], version: str) -> dict[str, Any]:
    generator: dict[str, Any] = {"Name": NAME, "Version": version, "CodeURL": CODE_URL}
    if container := _container():
        generator["Container"] = container
    return {
        "Name": "fmridecode: decoding and saliency maps",
        "BIDSVersion": BIDS_VERSION,
        "DatasetType": "derivative",
        "GeneratedBy": [generator],
        "SourceDatasets": [{"URL": path.resolve().as_uri()} for path in links.values()],
        "DatasetLinks": {name: path.resolve().as_uri() for name, path in links.items()},
        "HowToAcknowledge": "See logs/CITATION.md",
    }


def _container() -> dict[str, str]:
    """Say which container this is, by the variables that the image and Apptainer set."""
    tag = os.environ.get("FMRIDECODE_CONTAINER_TAG", "")
    for variable in ("APPTAINER_CONTAINER", "SINGULARITY_CONTAINER"):
        if image := os.environ.get(variable, ""):
            return {"Type": "singularity", "Tag": tag or Path(image).name}
    return {"Type": "docker", "Tag": tag} if tag else {}


def _check_ours(output_dir: Path) -> None:
    path = output_dir / "dataset_description.json"
    try:
        generators = json.loads(path.read_text(encoding="utf-8"))["GeneratedBy"]
        ours = any(each["Name"] == NAME for each in generators)
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise CannotCreateError(
            f"{output_dir} is a data set that fmridecode did not make ({path.name}); name another "
            "OUTPUT_DIR."
        )


def _write(path: Path, text: str) -> None:
    """Write a text unless it is there already, so that parallel jobs leave it alone."""
    content = text.encode()
    try:
        if path.read_bytes() == content:
            return
    except OSError:
        pass
    write_atomically(path, content)
