"""An OUTPUT_DIR, as the sections of a page read it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from fmridecode.errors import BadDataError
from fmridecode.report.saliency import SaliencyMap, find_maps, find_number_maps
from fmridecode.report.table import Table, read_json, read_table

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """The folder of one decoder and its folds."""

    name: str
    folds: Table | None
    training: Table | None
    config: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Derivatives:
    """Reads tables, maps, configs and models below an OUTPUT_DIR. Nothing is cached.

    Parameters
    ----------
    root
        The OUTPUT_DIR.
    underlay
        Anatomical image of the maps' template, where there is one.
    """

    root: Path
    underlay: Path | None = None

    @property
    def figures(self) -> Path:
        """The folder of the figures."""
        return self.root / "figures"

    def link(self, path: Path) -> str:
        """Return the address of a file, relative to the pages."""
        return quote(path.relative_to(self.root).as_posix())

    def table(self, description: str, *columns: str) -> Table | None:
        """Read ``group_desc-<description>.tsv``, or return None."""
        return read_table(self.root / f"group_desc-{description}.tsv", columns=columns)

    def group_tables(self) -> tuple[Table, ...]:
        """Read every table of the group level."""
        paths = sorted(self.root.glob("group_*.tsv"))
        return tuple(table for table in map(read_table, paths) if table is not None)

    def group_maps(self) -> tuple[SaliencyMap, ...]:
        """Return the mean saliency maps, of the true class of what was explained."""
        found = find_maps(self.root, "group_*_saliency.nii.gz")
        return tuple(each for each in found if each.explains_truth and not each.is_copy)

    def number_maps(self) -> tuple[SaliencyMap, ...]:
        """Return the maps of the group where a number was decoded."""
        return find_number_maps(self.root, "group_*.nii.gz")

    def participants(self) -> tuple[Participant, ...]:
        """Return the participants that have a folder."""
        return tuple(
            Participant(derivatives=self, label=path.name.removeprefix("sub-"))
            for path in sorted(self.root.glob("sub-*"))
            if path.is_dir()
        )

    def models(self) -> tuple[Model, ...]:
        """Return the decoders that were trained, each with its folds."""
        return tuple(
            Model(
                name=folder.name,
                folds=read_table(folder / "folds.tsv", columns=("fold", "participant_id", "role")),
                training=read_table(folder / "training.tsv", columns=("fold", "epoch")),
                config=read_json(folder / "config.json"),
            )
            for folder in sorted((self.root / "models").glob("*"))
            if folder.is_dir()
        )

    def given(self) -> dict[str, Any]:
        """Return what is recorded of a decoder that was given, not trained; empty without one."""
        return read_json(self.root / "models" / "given.json")

    def config_path(self) -> Path | None:
        """Return the resolved config by which was decoded, the last one written, or None."""
        return self._newest(group=False)

    def config(self) -> dict[str, Any]:
        """Return the resolved config by which was decoded; empty where there is none."""
        return _read_toml(self.config_path())

    def group_config(self) -> dict[str, Any]:
        """Return the resolved config of the group level; empty where there is none."""
        return _read_toml(self._newest(group=True))

    def _newest(self, *, group: bool) -> Path | None:
        paths = [
            path
            for path in (self.root / "logs").glob("*.toml")
            if ("_group_" in path.name) == group
        ]
        return max(paths, key=lambda path: (path.stat().st_mtime, path.name), default=None)

    def description(self) -> dict[str, Any]:
        """Return ``dataset_description.json``; empty where there is none."""
        return read_json(self.root / "dataset_description.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """One participant of an OUTPUT_DIR; ``label`` is without ``sub-``."""

    derivatives: Derivatives
    label: str

    @property
    def name(self) -> str:
        """The participant's name in BIDS, such as ``sub-01``."""
        return f"sub-{self.label}"

    @property
    def folder(self) -> Path:
        """The participant's folder."""
        return self.derivatives.root / self.name

    def predictions(self) -> tuple[Table, ...]:
        """Read the predictions of every session."""
        return self._tables("decoding_predictions", "true_label", "predicted_label")

    def number_predictions(self) -> tuple[Table, ...]:
        """Read what was predicted where a number was decoded; empty where classes were."""
        return self._tables("regression_predictions", "unit", "predicted", "sd", "true")

    def scores(self) -> tuple[Table, ...]:
        """Read the scores of every session."""
        return self._tables("interpretability_scores", "label", "method", "criterion", "pearson_r")

    def maps(self) -> tuple[SaliencyMap, ...]:
        """Return the saliency maps of the true classes, of every session."""
        found = find_maps(self.folder, "**/*_saliency.nii.gz")
        return tuple(each for each in found if each.explains_truth and not each.is_copy)

    def number_maps(self) -> tuple[SaliencyMap, ...]:
        """Return the saliency maps where a number was decoded, of every session."""
        return find_number_maps(self.folder, "**/*_saliency.nii.gz")

    def _tables(self, description: str, *columns: str) -> tuple[Table, ...]:
        paths = sorted(self.folder.glob(f"**/{self.name}_*desc-{description}.tsv"))
        tables = (read_table(path, columns=columns) for path in paths)
        return tuple(table for table in tables if table is not None)


def _read_toml(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise BadDataError(f"{path} is not valid TOML ({error}); delete or mend it") from error
