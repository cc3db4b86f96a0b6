"""The nine rows of the 3-D study: which decoder, trained how, read by which saliency method."""

from dataclasses import dataclass, replace

from fmridecode.config import RunConfig
from fmridecode.core.settings import Architecture, Method, Scheme
from fmridecode.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row.

    Parameters
    ----------
    name, title
        As in tables, and as in figures and text.
    architecture, scheme, method
        The decoder, its training, and the saliency method.
    published
        CIA and CAD that the same authors gave later for HCP data, read off their bars.
    """

    name: str
    title: str
    architecture: Architecture
    scheme: Scheme = "standard"
    method: Method = "gradient"
    published: tuple[float, float]

    @property
    def decoder(self) -> str:
        """The name of its decoder, which rows may share."""
        return f"{self.architecture}-{self.scheme}"


ROWS: tuple[Row, ...] = (
    Row(name="linear", title="Multinomial", architecture="linear", published=(0.092, 0.143)),
    Row(
        name="correlation",
        title="Correlation",
        architecture="correlation",
        published=(0.059, 0.219),
    ),
    Row(name="cln", title="CLN", architecture="cln", published=(0.068, 0.119)),
    Row(
        name="cln-adversarial",
        title="CLN adversarial",
        architecture="cln",
        scheme="adversarial",
        published=(0.128, 0.253),
    ),
    Row(name="cnn", title="CNN", architecture="cnn", published=(0.128, 0.253)),
    Row(
        name="cnn-gradient-x-input",
        title="CNN gradient × input",
        architecture="cnn",
        method="gradient-x-input",
        published=(0.068, 0.128),
    ),
    Row(
        name="cnn-smoothgrad",
        title="CNN SmoothGrad",
        architecture="cnn",
        method="smoothgrad",
        published=(0.190, 0.280),
    ),
    Row(
        name="cnn-random-noise",
        title="CNN random noise",
        architecture="cnn",
        scheme="random-noise",
        published=(0.101, 0.234),
    ),
    Row(
        name="cnn-adversarial",
        title="CNN adversarial",
        architecture="cnn",
        scheme="adversarial",
        published=(0.213, 0.303),
    ),
)

TITLES = {row.name: row.title for row in ROWS}


def decoders() -> dict[str, tuple[Row, ...]]:
    """Return the rows of every decoder."""
    names = dict.fromkeys(row.decoder for row in ROWS)
    return {name: tuple(row for row in ROWS if row.decoder == name) for name in names}


def decoder_config(config: RunConfig, rows: tuple[Row, ...]) -> RunConfig:
    """Return the settings of the decoder that some rows share.

    Raises
    ------
    UsageError
        When ``--architecture``, which picks the CNN of the study, is none.
    """
    cnn = config.model.architecture
    if cnn not in ("cnn", "cnn-stride1"):
        raise UsageError(f"--architecture is {cnn!r}; a study's CNN is cnn or cnn-stride1.")
    row = rows[0]
    architecture = cnn if row.architecture == "cnn" else row.architecture
    return replace(
        config,
        model=replace(config.model, architecture=architecture),
        training=replace(config.training, scheme=row.scheme),
        saliency=replace(config.saliency, methods=tuple(row.method for row in rows)),
    )
