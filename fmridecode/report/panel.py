"""The paper's Figure 3: maps of every class given one example, under the activation they show."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from fmridecode.errors import BadDataError
from fmridecode.report.blocks import Picture
from fmridecode.report.drawing import inline_svg, save_figure, short, slug, source
from fmridecode.report.glass import PERCENTILE, GlassBrain, load_volumes
from fmridecode.report.numbers import NOTHING, number
from fmridecode.report.palette import INK, SOFT
from fmridecode.report.table import read_json
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from pathlib import Path

    from fmridecode.report.derivatives import Derivatives

READING = (
    "Top row: the participant’s own activation in the true class minus the mean over classes, "
    "and in every other class minus the true one. Below: the saliency of each of these classes, "
    "given the same map of the true class; r is its correlation with the brain at the top of the "
    "column (CIA in the first, CAD in the others). The better a method, the more its row looks "
    f"like the top one. Colours saturate at the {PERCENTILE:.0f}th percentile of the absolute "
    "values of each brain."
)

_DPI = 90
_LABEL, _CELL, _BRAIN, _ROW, _HEAD = 104, 190, 59, 86, 24  # CSS pixels
_FONT = "font-family: 'Helvetica Neue', Helvetica, Arial, sans-serif"


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A panel file, and what its sidecar says of its volumes."""

    path: Path
    participant: str
    label: str
    typical: bool
    volumes: tuple[dict[str, Any], ...]

    @property
    def classes(self) -> tuple[str, ...]:
        """The true class, then the others."""
        named = [str(each["TargetClass"]) for each in self.volumes]
        return tuple(dict.fromkeys([self.label, *named]))

    @property
    def methods(self) -> tuple[str, ...]:
        """The saliency methods."""
        named = (str(each["SaliencyMethod"]) for each in self.volumes if _is_saliency(each))
        return tuple(dict.fromkeys(named))

    def position(self, target: str, method: str = "") -> int | None:
        """Return the volume of a class by a method, or of its activation; None without one."""
        for position, each in enumerate(self.volumes):
            own = str(each["SaliencyMethod"]) if _is_saliency(each) else ""
            if (str(each["TargetClass"]), own) == (target, method):
                return position
        return None

    def cia(self, method: str) -> float:
        """Return the CIA by a method; NaN without one."""
        position = self.position(self.label, method)
        r = None if position is None else self.volumes[position].get("PearsonR")
        return float("nan") if r is None else float(r)


def find_panels(folder: Path) -> tuple[Panel, ...]:
    """Return the panels in a folder whose sidecars name their volumes.

    Raises
    ------
    BadDataError
        A sidecar is damaged.
    """
    found = []
    for path in sorted(folder.glob("**/*_panel.nii.gz")):
        said = read_json(path.with_name(path.name.removesuffix(".nii.gz") + ".json"))
        try:
            volumes = tuple(dict(each) for each in said["Volumes"])
            panel = Panel(
                path=path,
                participant=path.name.split("_")[0],
                label=str(said["TrueClass"]),
                typical=bool(said.get("Typical")),
                volumes=volumes,
            )
            _ = panel.classes, panel.methods
        except (KeyError, TypeError, ValueError) as error:
            raise BadDataError(
                f"The sidecar of {path} does not describe its volumes ({error}); re-run the "
                "participant level with --panels"
            ) from error
        found.append(panel)
    return tuple(found)


def panel_picture(
    derivatives: Derivatives, brain: GlassBrain, panel: Panel, *, caption: str
) -> Picture:
    """Draw a panel as an SVG with a glass brain in each cell.

    Raises
    ------
    BadDataError
        The file cannot be read, or has not the volumes that its sidecar names.
    """
    images = load_volumes(panel.path)
    if len(images) != len(panel.volumes):
        raise BadDataError(
            f"{panel.path} has {len(images)} volumes, its sidecar names {len(panel.volumes)}; "
            "re-run the participant level with --panels"
        )
    rows = ("", *panel.methods)
    width = _LABEL + _CELL * len(panel.classes)
    height = _HEAD + _ROW * len(rows)
    parts = [_text(_LABEL + _CELL * (k + 0.5), 15, short(name), weight=600)
             for k, name in enumerate(panel.classes)]  # fmt: skip
    said = []
    for row, method in enumerate(rows):
        top = _HEAD + _ROW * row
        title = method_title(method) if method else "activation"
        parts.append(_text(0, top + _BRAIN / 2 + 4, title, anchor="start"))
        for column, target in enumerate(panel.classes):
            position = panel.position(target, method)
            if position is None:
                continue
            left, words = _LABEL + _CELL * column, _words(panel, position)
            content, _ = brain.draw(images[position], dpi=_DPI)
            parts.append(_image(content, left, top))
            parts.append(_text(left + _CELL / 2, top + _BRAIN + 14, words, colour=SOFT.light))
            if method:
                said.append(f"{title}, {target}: {words}.")
    svg = Markup(
        '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" '
        'viewBox="0 0 {0} {1}">{2}</svg>'
    ).format(width, height, Markup("").join(parts))
    name = slug(panel.path.name.removesuffix(".nii.gz"))
    path = save_figure(derivatives, f"{name}.svg", svg.encode())
    alt = f"Glass brains of {panel.participant}, {panel.label}. {' '.join(said)}"
    return Picture(
        markup=Markup(
            '<div class="scroll" tabindex="0" role="region" aria-label="{}">'
            '<div style="min-width: {}px">{}</div></div>'
        ).format(
            f"Panel of {panel.label}", width // 2 + 160, inline_svg(svg, alt=alt, prefix=name)
        ),
        caption=caption,
        file=source(derivatives, path, "SVG"),
        sources=(source(derivatives, panel.path, "NIfTI"),),
        width=width,
    )


def _is_saliency(volume: dict[str, Any]) -> bool:
    return str(volume["Kind"]) == "saliency"


def _words(panel: Panel, position: int) -> str:
    volume = panel.volumes[position]
    target = short(str(volume["TargetClass"]))
    if _is_saliency(volume):
        r = volume.get("PearsonR")
        return f"r = {NOTHING if r is None else number(float(r))}"
    return f"{target} − {'mean' if volume['Kind'] == 'activation' else short(panel.label)}"


def _image(content: bytes, left: float, top: float) -> Markup:
    return Markup(
        '<image x="{}" y="{}" width="{}" height="{}" href="data:image/png;base64,{}"/>'
    ).format(left, top, _CELL - 8, _BRAIN, base64.b64encode(content).decode())


def _text(
    x: float, y: float, words: str, *, anchor: str = "middle", weight: int = 400,
    colour: str = INK.light,
) -> Markup:  # fmt: skip
    return Markup(
        '<text x="{:g}" y="{:g}" text-anchor="{}" style="{}; font-size: 12px; font-weight: {}; '
        'fill: {}">{}</text>'
    ).format(x, y, anchor, Markup(_FONT), weight, colour, escape(words))
