"""What a simulated study consists of, and how strong its effects and its noise are."""

import math
from dataclasses import dataclass

from fmridecode.errors import UsageError
from fmridecode.experiments.contrasts import all_tasks
from fmridecode.experiments.regions import DOMAINS, Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationConfig:
    """A simulated study.

    The defaults are calibrated to real maps (Woo et al. 2014, doi:10.1038/ncomms6380): the
    correlation of maps of one condition between participants and of one task within
    participants, the spatial autocorrelation, and the share of negative voxels.

    Parameters
    ----------
    participants, classes, runs
        How many participants, which of `DOMAINS` or kinds of maps that are of no domain
        (`fmridecode.experiments.contrasts.strangers`), and how many maps of each.
    largest_family
        Families have 1 to this many members; 1 makes all participants strangers.
    family_share
        Share of the variance between participants that a family has in common, 0 to 1.
    amplitude
        Height of the strongest region of a class, in SDs of the noise.
    specific, shared, common
        Factors on the height of regions of one class, of two or three, and of all.
    extent
        Full width at half maximum of a region, in mm.
    shift, extent_sd, amplitude_sd
        Variation between participants of each region: SD of its place (mm, along each axis), and
        SDs of the logarithms of its extent and height.
    gain_sd
        SD of the logarithm of a participant's response to a whole task.
    dropout
        Probability that a participant lacks a region, 0 to 1.
    network_sd
        SD, over tasks of a participant, of the height of each common network, as a share of
        `amplitude`: unspecific activation.
    baseline_sd
        SD, over tasks of a participant, of a constant added to the whole brain.
    noise_participant, noise_task, noise_map
        SD of the noise that all maps of a participant share, that the runs of a task share, and
        that is a map's own.
    fwhm, broad_fwhm, broad_share
        Full width at half maximum (mm) of the noise's narrow and broad kernels, and the share of
        the variance that is broad.
    variety
        How differently each participant's maps were acquired and analysed, from 0 (one study) to
        1 (many laboratories); see `fmridecode.experiments.variety`.
    seed
        The same seed gives the same maps.
    """

    participants: int = 24
    classes: tuple[str, ...] = DOMAINS
    runs: int = 1
    largest_family: int = 3
    family_share: float = 0.3
    amplitude: float = 3.8
    specific: float = 0.65
    shared: float = 1.0
    common: float = 1.0
    extent: float = 18.0
    shift: float = 4.0
    extent_sd: float = 0.2
    amplitude_sd: float = 0.3
    gain_sd: float = 0.5
    dropout: float = 0.15
    network_sd: float = 0.3
    baseline_sd: float = 0.4
    noise_participant: float = 0.15
    noise_task: float = 0.6
    noise_map: float = 0.8
    fwhm: float = 11.0
    broad_fwhm: float = 30.0
    broad_share: float = 0.35
    variety: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Check every value."""
        unknown = [name for name in self.classes if name not in all_tasks()]
        if unknown or not self.classes or len(set(self.classes)) < len(self.classes):
            found = ", ".join(self.classes) or "none"
            raise UsageError(
                f"classes = {found}: name each class once, from {', '.join(all_tasks())}."
            )
        for name in ("participants", "runs", "largest_family"):
            self._check(name, at_least=1)
        for name in ("family_share", "dropout", "broad_share", "variety"):
            self._check(name, at_least=0, at_most=1)
        for name in ("extent", "fwhm", "broad_fwhm"):
            self._check(name, at_least=1)
        for name in (
            "amplitude",
            "specific",
            "shared",
            "common",
            "shift",
            "extent_sd",
            "amplitude_sd",
            "gain_sd",
            "network_sd",
            "baseline_sd",
            "noise_participant",
            "noise_task",
            "noise_map",
            "seed",
        ):
            self._check(name, at_least=0)

    def balance(self, kind: Kind) -> float:
        """Return the factor on the height of one kind of region."""
        return {"specific": self.specific, "shared": self.shared, "common": self.common}[kind]

    def _check(self, name: str, *, at_least: float, at_most: float = math.inf) -> None:
        value = getattr(self, name)
        if not (math.isfinite(value) and at_least <= value <= at_most):
            bounds = f"at least {at_least:g}"
            if math.isfinite(at_most):
                bounds = f"between {at_least:g} and {at_most:g}"
            raise UsageError(f"{name} = {value}: expected a number {bounds}.")
