"""Decoders that come with fmridecode."""

from importlib import resources
from pathlib import Path

from fmridecode.bundles.files import CONFIG


def shipped() -> dict[str, Path]:
    """Return the folders of the shipped decoders by name."""
    root = Path(str(resources.files("fmridecode.bundles"))) / "shipped"
    return {path.parent.name: path.parent for path in sorted(root.glob(f"*/{CONFIG}"))}
