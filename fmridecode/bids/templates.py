"""The grid and brain mask on which maps are decoded: TemplateFlow's, also offline."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fmridecode.bids.images import read_image
from fmridecode.bids.settings import SpaceConfig
from fmridecode.bids.templateflow import TemplateFile, TemplateFlow
from fmridecode.core.grid import Grid, as_rows
from fmridecode.errors import FmridecodeError, NoInputError, UsageError

log = logging.getLogger(__name__)

_STAND_IN_FOR = "MNI152"
_STAND_IN = "nilearn's packaged MNI152NLin2009aSym brain mask, resampled onto the grid of {space}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The grid that all maps are brought to, and its brain mask.

    Parameters
    ----------
    grid
        Where the voxels lie; its resolution is the ``res-`` label, ``01``, ``02``, ``04`` or
        ``08``.
    mask
        True in the brain.
    mask_source
        Says what the mask is; plainly so when it is a stand-in.
    underlay
        TemplateFlow's anatomical image, at 1 or 2 mm, if it is there.
    verified
        Whether the mask is TemplateFlow's file and its MD5 is the known one.
    """

    grid: Grid
    mask: NDArray[np.bool_]
    mask_source: str
    underlay: Path | None
    verified: bool


def target_grid(config: SpaceConfig, *, templateflow: TemplateFlow | None = None) -> Template:
    """Return the grid and brain mask of a template.

    4 and 8 mm are every second and fourth voxel of the 2 mm grid. Without a usable mask file,
    it is fetched; without a network, TemplateFlow's metadata give the grid, and nilearn's
    packaged mask stands in.

    Raises
    ------
    UsageError
        The template or the resolution does not exist; the message names the nearest.
    NoInputError
        The mask is not to be had and nothing can stand in; the message says which file goes where.
    """
    flow = templateflow or TemplateFlow()
    zooms = _zooms(flow, config)
    base = min((z for z in zooms if z in (1.0, 2.0) and z <= config.resolution), default=None)
    base = 2.0 if 2.0 in zooms and config.resolution >= 2 else base
    if base is None:
        raise UsageError(
            f"--resolution {config.resolution}: the template {config.space} has "
            f"{', '.join(f'{z:g}' for z in sorted(zooms))} mm only; 1 or 2 mm are needed."
        )
    step = int(config.resolution / base)
    label = zooms[base]
    found = flow.find(config.space, label, "desc-brain_mask")
    if found is not None:
        try:
            return _from_file(found, flow=flow, config=config, label=label, step=step)
        except FmridecodeError as error:
            log.warning("%s; it is not used", error)
    return _stand_in(flow, config=config, label=label, step=step)


def _zooms(flow: TemplateFlow, config: SpaceConfig) -> dict[float, str]:
    """Return the ``res-`` labels of a template by voxel size in mm."""
    resolutions = flow.resolutions(config.space)
    return {
        float(res["zooms"][0]): label
        for label, res in sorted(resolutions.items(), reverse=True)
        if len(set(res["zooms"])) == 1
    }


def _from_file(
    found: TemplateFile, *, flow: TemplateFlow, config: SpaceConfig, label: str, step: int
) -> Template:
    data, affine = read_image(found.path)
    declared = flow.resolutions(config.space)[label]["shape"]
    if list(data.shape) != list(declared):
        raise NoInputError(
            f"{found.path} has the shape {data.shape}, but TemplateFlow says {tuple(declared)}; "
            "delete it and fetch it again"
        )
    how = "MD5 verified" if found.verified else "MD5 not known to fmridecode, not verified"
    source = f"TemplateFlow {found.path.name} ({how})"
    return _template(
        data > 0.5,
        affine,
        config=config,
        step=step,
        source=source,
        underlay=flow.underlay(config.space, label),
        verified=found.verified,
    )


def _template(
    mask: NDArray[np.bool_],
    affine: NDArray[np.float64],
    *,
    config: SpaceConfig,
    step: int,
    source: str,
    underlay: Path | None,
    verified: bool,
) -> Template:
    mask = np.ascontiguousarray(mask[::step, ::step, ::step])
    affine = affine @ np.diag([step, step, step, 1.0])
    if step > 1:
        source += f", one voxel in {step} along each axis"
    log.info("Brain mask: %s, %d voxels", source, mask.sum())
    grid = Grid(
        shape=mask.shape,
        affine=as_rows(affine),
        space=config.space,
        resolution=f"{config.resolution:02d}",
    )
    return Template(grid=grid, mask=mask, mask_source=source, underlay=underlay, verified=verified)


def _stand_in(flow: TemplateFlow, *, config: SpaceConfig, label: str, step: int) -> Template:
    wanted = flow.expected(config.space, label, "desc-brain_mask")
    if not config.space.startswith(_STAND_IN_FOR):
        raise NoInputError(
            f"The brain mask of {config.space} is neither in {flow.home} nor to be fetched; "
            f"download {flow.url(wanted)} to {flow.home / wanted}."
        )
    resolution = flow.resolutions(config.space)[label]
    affine = np.diag([*resolution["zooms"], 1.0])
    affine[:3, 3] = resolution["origin"]
    mask = _packaged_mask(tuple(resolution["shape"]), affine)
    source = f"stand-in: {_STAND_IN.format(space=config.space)}"
    log.warning(
        "The brain mask of %s is not to be had; %s is used. For the real one, download %s to %s",
        config.space,
        source,
        flow.url(wanted),
        flow.home / wanted,
    )
    return _template(
        mask,
        affine,
        config=config,
        step=step,
        source=source,
        underlay=flow.underlay(config.space, label),
        verified=False,
    )


def _packaged_mask(shape: tuple[int, ...], affine: NDArray[np.float64]) -> NDArray[np.bool_]:
    import warnings

    from nilearn.datasets import load_mni152_brain_mask
    from nilearn.image import resample_img

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nilearn's own, about int8 masks
        packaged = load_mni152_brain_mask(resolution=1)
        resampled = resample_img(
            packaged,
            target_affine=affine,
            target_shape=shape,
            interpolation="nearest",
            force_resample=True,
            copy_header=True,
        )
    mask: NDArray[np.bool_] = np.asarray(resampled.dataobj) > 0
    return mask
