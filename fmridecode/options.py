"""How a field of a config says what it is on the command line.

A parameter is described once, on its config: type, default, help text, and the heading of the
help under which it appears. The command line, the TOML file and the Boutiques descriptor are
made from that.
"""

from dataclasses import MISSING, Field, dataclass, field
from dataclasses import fields as dataclass_fields
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionInfo:
    """The command-line face of one field."""

    flags: tuple[str, ...]
    help: str
    panel: str
    metavar: str | None = None


def option(
    default: T,
    *flags: str,
    help: str,  # noqa: A002
    panel: str,
    metavar: str | None = None,
) -> T:
    """Declare a config field together with its command-line option.

    Parameters
    ----------
    default
        The field's default; it stands here and nowhere else.
    *flags
        The option's spellings, the long one first.
    help, panel, metavar
        One sentence, the help heading, and the placeholder for the value.

    Returns
    -------
    object
        A dataclass field (typed as its default, as ``dataclasses.field`` is).
    """
    info = OptionInfo(flags=flags, help=help, panel=panel, metavar=metavar)
    declared: Any = field(default=default, metadata={"option": info})
    return declared  # type: ignore[no-any-return]


def option_of(declared: "Field[Any]") -> OptionInfo | None:
    """Return the option declared on a dataclass field, or None."""
    return declared.metadata.get("option")


def options_of(config: type) -> dict[str, tuple[OptionInfo, Any]]:
    """Return ``{field name: (option, default)}`` for every option of a config class."""
    found = {}
    for declared in dataclass_fields(config):
        info = option_of(declared)
        if info is not None:
            default = declared.default if declared.default is not MISSING else None
            found[declared.name] = (info, default)
    return found
