"""Glass brains of signed maps, drawn so that they can be read on light and on dark paper."""

from __future__ import annotations

import base64
import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from fmridecode.errors import BadDataError
from fmridecode.report.blocks import Picture, Source
from fmridecode.report.drawing import save_figure, slug, source
from fmridecode.report.palette import NEGATIVE, OUTLINE, POSITIVE

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.saliency import SaliencyMap

PERCENTILE = 99.0
"""Of the absolute values within the brain; the colours saturate there, as in the paper."""

_SIZE = (4.6, 1.42)
_DPI = 200
_ROUNDING = 1e-4  # of a threshold that was read from a table with six digits
_BARELY_THERE = 10  # of 255; an opacity that would show as a plate behind the brain
_COLOURS = LinearSegmentedColormap.from_list(
    "signed",
    [
        (0.0, (*NEGATIVE, 1.0)),
        (0.35, (*NEGATIVE, 0.45)),
        (0.5, (0.5, 0.5, 0.5, 0.0)),
        (0.65, (*POSITIVE, 0.45)),
        (1.0, (*POSITIVE, 1.0)),
    ],
)


def glass_picture(
    derivatives: Derivatives,
    brain: GlassBrain,
    saliency: SaliencyMap,
    *,
    name: str,
    caption: str,
    more: tuple[Source, ...] = (),
    least: float = 0.0,
    what: str = "saliency",
) -> Picture:
    """Draw a map on a glass brain from the left, from above, and from the right.

    Parameters
    ----------
    derivatives
        Where ``figures/`` lies.
    brain
        What to draw on.
    saliency
        The map.
    name
        Stem of the figure's file.
    caption
        What the map is.
    more
        Further files to link.
    least
        Voxels of a smaller magnitude are left out.
    what
        What the values are.
    """
    content, saturation = brain.png(saliency.path, least=least)
    path = save_figure(derivatives, f"{slug(name)}.png", content)
    alt = (
        f"Glass brain seen from the left, above and right: {saliency.method} {what} for "
        f"{saliency.target}; colours saturate at plus and minus {saturation:.3g}."
    )
    return Picture(
        markup=Markup('<img alt="{}" width="460" height="142" src="data:image/png;base64,{}">')
        .format(alt, base64.b64encode(content).decode()),
        caption=f"{caption}, colours to ±{saturation:.2g}.",
        file=source(derivatives, path, "PNG"),
        sources=(source(derivatives, saliency.path, "NIfTI"), *more),
        width=460,
    )  # fmt: skip


class GlassBrain:
    """A glass brain that is drawn once and filled with one map after the other.

    Most of the time of a glass brain goes into its outlines, which are the same in all.
    """

    def __init__(self) -> None:
        # nilearn.plotting takes two seconds to import, which a page without maps should not pay.
        from nilearn.plotting import plot_glass_brain

        self._figure = Figure(figsize=_SIZE)
        self._display = plot_glass_brain(
            None,
            display_mode="lzr",
            figure=self._figure,
            axes=(0.0, 0.0, 1.0, 1.0),
            colorbar=False,
            annotate=False,
            plot_abs=False,
        )
        self._canvas = FigureCanvasAgg(self._figure)
        self._figure.patch.set_visible(False)
        self._drawn: dict[tuple[object, ...], NDArray[np.uint8]] = {}
        for axes in self._display.axes.values():
            axes.ax.patch.set_visible(False)
            for outline in axes.ax.patches:
                outline.set_edgecolor((*OUTLINE, 0.8))
                outline.set_linewidth(0.5 * outline.get_linewidth())

    def png(self, path: Path, *, least: float = 0.0) -> tuple[bytes, float]:
        """Return a transparent PNG of a map, and where its colours saturate.

        Voxels of a smaller magnitude than ``least`` are left out.

        Raises
        ------
        BadDataError
            The file cannot be read, or is not a single 3-D map.
        """
        return self.draw(load_map(path, least=least))

    def draw(self, image: Any, *, dpi: int = _DPI) -> tuple[bytes, float]:
        """Return a transparent PNG of an image, and where its colours saturate."""
        values = image.get_fdata(dtype=np.float32)
        inside = np.abs(values[values != 0])
        saturation = float(np.percentile(inside, PERCENTILE)) if inside.size else 0.0
        try:
            if saturation:
                self._display.add_overlay(
                    image, threshold=None, cmap=_COLOURS, vmin=-saturation, vmax=saturation
                )
            pixels = _over(self._outlines(dpi), self._pixels(dpi, "images"))
        finally:
            for axes in self._axes:
                for drawn in list(axes.images):
                    drawn.remove()
        return _png(pixels), saturation

    @property
    def _axes(self) -> list[Any]:
        return [each.ax for each in self._display.axes.values()]

    def _outlines(self, dpi: int) -> NDArray[np.uint8]:
        """Return the outlines alone; their place depends on the map's grid."""
        views = tuple((*axes.get_xlim(), *axes.get_ylim()) for axes in self._axes)
        if (dpi, views) not in self._drawn:
            self._drawn[dpi, views] = self._pixels(dpi, "patches")
        return self._drawn[dpi, views]

    def _pixels(self, dpi: int, what: str) -> NDArray[np.uint8]:
        """Draw the ``images`` or the ``patches`` alone."""
        for axes in self._axes:
            for kind in ("images", "patches"):
                for each in getattr(axes, kind):
                    each.set_visible(kind == what)
        self._figure.set_dpi(dpi)
        self._canvas.draw()  # type: ignore[no-untyped-call]
        return np.array(self._canvas.buffer_rgba(), dtype=np.uint8)  # type: ignore[no-untyped-call]


def _over(above: NDArray[np.uint8], below: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Lay one picture with opacity over another of the same size."""
    there = above[..., 3] > 0
    a, b = above[there] / 255.0, below[there] / 255.0
    opacity = a[:, 3] + b[:, 3] * (1 - a[:, 3])
    colour = a[:, :3] * a[:, 3:] + b[:, :3] * b[:, 3:] * (1 - a[:, 3:])
    out = below.copy()
    out[there, :3] = np.rint(255 * colour / opacity[:, None])
    out[there, 3] = np.rint(255 * opacity)
    return out


@lru_cache(maxsize=1)
def glass_brain() -> GlassBrain:
    """Return this process's glass brain: one is enough for all pages."""
    return GlassBrain()


def load_map(path: Path, *, least: float = 0.0) -> Any:
    """Read a 3-D image, what is not finite or smaller in magnitude than ``least`` as 0.

    Raises
    ------
    BadDataError
        The file cannot be read, or is not a single 3-D map.
    """
    import nibabel as nib

    values, affine = _read(path)
    if values.ndim != 3:
        raise BadDataError(f"{path} has the shape {values.shape}; expected one 3-D map")
    kept = np.where(np.abs(values) >= least * (1 - _ROUNDING), values, np.float32(0))
    return nib.Nifti1Image(kept, affine)


def load_volumes(path: Path) -> list[Any]:
    """Read the 3-D images along the fourth axis of a file.

    Raises
    ------
    BadDataError
        The file cannot be read, or has no fourth axis.
    """
    import nibabel as nib

    values, affine = _read(path)
    if values.ndim != 4:
        raise BadDataError(f"{path} has the shape {values.shape}; expected several 3-D maps")
    return [nib.Nifti1Image(values[..., k], affine) for k in range(values.shape[3])]


def _read(path: Path) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    import nibabel as nib
    from nibabel.filebasedimages import ImageFileError

    try:
        image = nib.load(path)
        return np.nan_to_num(np.asarray(image.get_fdata(dtype=np.float32))), image.affine
    except (OSError, EOFError, ValueError, ImageFileError) as error:
        raise BadDataError(f"{path} cannot be read ({error}); re-run its level") from error


def _png(pixels: NDArray[np.uint8]) -> bytes:
    """Return a PNG of 256 colours, a third of the size of one of all."""
    from PIL import Image

    pixels[pixels[..., 3] < _BARELY_THERE] = 0
    content = io.BytesIO()
    image = Image.fromarray(pixels).quantize(256, method=Image.Quantize.FASTOCTREE)
    image.save(content, format="png", compress_level=6)  # 9 takes five times as long for 2 %
    return content.getvalue()
