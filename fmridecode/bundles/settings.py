"""What can be set about a decoder that is there already; light, for a fast ``--help``."""

from dataclasses import dataclass

from fmridecode.options import option

GIVEN = "A decoder that is there"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenConfig:
    """Which decoder is used instead of training one, and what its classes are in the data."""

    model: str = option(
        "",
        "--model",
        help="Use this decoder and train none: a folder or zip with a bundle, the name of a "
        "shipped one, the OUTPUT_DIR of another run, or hf://owner/name[@revision]. --space and "
        "--resolution then ask for copies of the maps on that grid.",
        panel=GIVEN,
        metavar="MODEL",
    )
    labels: tuple[str, ...] = option(
        (),
        "--model-labels",
        help="What the decoder calls the data set's classes, OWN=MODEL, or a TOML file with such "
        "lines; classes of the same name need none. Classes that the decoder does not know are "
        "decoded but not scored.",
        panel=GIVEN,
        metavar="OWN=MODEL...",
    )
