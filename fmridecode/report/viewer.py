"""Interactive slices of a map: one HTML file that needs nothing else."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup
from matplotlib.colors import LinearSegmentedColormap

from fmridecode.report.drawing import save_figure, slug, source
from fmridecode.report.glass import PERCENTILE, load_map
from fmridecode.report.palette import NEGATIVE, POSITIVE

if TYPE_CHECKING:
    from pathlib import Path

    from fmridecode.report.blocks import Source
    from fmridecode.report.derivatives import Derivatives
    from fmridecode.report.saliency import SaliencyMap

SHOWN = 90.0
"""Percentile of the absolute values from which on voxels cover the anatomy."""

_FINEST = 1.9  # mm of a background's voxels; finer ones would make files of 4 MB
_COLOURS = LinearSegmentedColormap.from_list(
    "signed-opaque", [(0.0, NEGATIVE), (0.5, (0.75, 0.75, 0.75)), (1.0, POSITIVE)]
)
_HEAD = Markup(
    '<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="default-src '
    "'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri "
    "'none'; form-action 'none'\">\n"
    '<link rel="icon" href="data:,">\n<title>{title}</title>\n<style>\n'
    "body {{ margin: 0 auto; max-width: 70rem; padding: 1rem; background: #000; color: #e7eaed; "
    "font: 1rem/1.5 system-ui, sans-serif; }}\n"
    "h1 {{ font-size: 1.2rem; margin: 0; }} p {{ margin: .3rem 0; color: #a3adb7; }} "
    "a {{ color: #5fb8dd; }}\n</style>\n"
)
_BODY = Markup('<h1>{title}</h1>\n<p>{said} <a href="../group.html#maps">Group report</a></p>\n')


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """The anatomy under the slices, and the words for what it is."""

    image: Any
    words: str


def find_background(derivatives: Derivatives, path: Path) -> Background:
    """Return the template's image, nilearn's MNI image, or the outline of a map, as may be had.

    nilearn's stands in for templates of the MNI152 family only.
    """
    if derivatives.underlay is not None:
        image = load_map(derivatives.underlay)
        return Background(
            image=_coarser(image), words=f"TemplateFlow’s {derivatives.underlay.name}"
        )
    if "_space-MNI152" in path.name:
        from nilearn.datasets import load_mni152_template

        return Background(
            image=load_mni152_template(resolution=2),
            words="nilearn’s MNI152NLin2009aSym template, which stands in for that of the maps",
        )
    outline = load_map(path)
    return Background(image=_like(outline, outline.get_fdata() != 0), words="the mask of the map")


def write_viewer(
    derivatives: Derivatives, background: Background, saliency: SaliencyMap, *, title: str
) -> Source:
    """Write the slices of a map under ``figures/`` and return their address.

    Raises
    ------
    BadDataError
        The map cannot be read.
    """
    from nilearn.plotting import view_img

    image = load_map(saliency.path)
    values = np.abs(image.get_fdata())
    inside = values[values > 0]
    low, high = np.percentile(inside, [SHOWN, PERCENTILE]) if inside.size else (0.5, 1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy's, about masked arrays within nilearn
        view = view_img(
            image,
            bg_img=background.image,
            threshold=float(low),
            vmax=float(high),
            cmap=_COLOURS,
            symmetric_cmap=True,
            black_bg=True,
            title=None,
        )
    said = (
        f"On {background.words}. Coloured is the strongest tenth of the voxels, from ±{low:.2g}; "
        f"colours saturate at ±{high:.2g}. Click or drag to move the cross."
    )
    name = saliency.path.name.removesuffix(".nii.gz")
    html = _own(view.get_standalone(), title=title, said=said)
    path = save_figure(derivatives, f"{slug(name)}_viewer.html", html.encode())
    return source(derivatives, path, "slice viewer")


def _own(html: str, *, title: str, said: str) -> str:
    """Give nilearn's page our title, a policy that forbids requests, and the same ids each time.

    nilearn writes titles without escaping them, and names its icon by an address.
    """
    head, body = html.split("</head>", 1)
    head = re.sub(r"<title>.*?</title>|<link[^>]*>", "", head, flags=re.DOTALL)
    head = head.replace("<head>", f"<head>\n{_HEAD.format(title=title)}")
    body = body.replace("<body>", f"<body>\n{_BODY.format(title=title, said=said)}", 1)
    return re.sub(r"-[0-9a-f]{32}\b", "-1", f"{head}</head>{body}")


def _coarser(image: Any) -> Any:
    """Take every second voxel of a background at 1 mm."""
    if min(image.header.get_zooms()[:3]) >= _FINEST:
        return image
    return image.slicer[::2, ::2, ::2]


def _like(image: Any, values: Any) -> Any:
    import nibabel as nib

    return nib.Nifti1Image(np.asarray(values, dtype=np.float32), image.affine)
