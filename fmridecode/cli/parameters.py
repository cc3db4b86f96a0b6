"""Command-line parameters made from the configs, and configs made from parsed values."""

import inspect
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, Any, Optional, get_args, get_origin, get_type_hints

import typer

from fmridecode.cli.arguments import rewrite
from fmridecode.config import COMPONENTS, compose, preset_values
from fmridecode.core.settings import AUTO, Auto
from fmridecode.options import OptionInfo, options_of

SEPARATOR = "__"


def config_parameters() -> list[inspect.Parameter]:
    """Return one keyword parameter for every option of every component.

    The parameters default to None, so that only what was given overrides presets and files; the
    help shows what the default preset gives.
    """
    parameters = []
    default_preset = compose(preset_values("default"))
    for component, config in COMPONENTS.items():
        hints = get_type_hints(config)
        for name, (info, _) in options_of(config).items():
            declared = typer.Option(
                *info.flags,
                help=info.help,
                rich_help_panel=info.panel,
                metavar=info.metavar,
                show_default=_shown(getattr(getattr(default_preset, component), name)),
                parser=_number_or_auto if Auto in get_args(hints[name]) else None,
            )
            kind: Any = Annotated[Optional[_click_type(hints[name])], declared]  # noqa: UP045
            parameters.append(
                inspect.Parameter(
                    component + SEPARATOR + name,
                    inspect.Parameter.KEYWORD_ONLY,
                    default=None,
                    annotation=kind,
                )
            )
    return parameters


def with_config_options(
    run: Callable[..., None], *, without: Collection[str]
) -> Callable[..., None]:
    """Return a command with its own options and those of all configs.

    Parameters
    ----------
    run
        Takes the values of the configs' options by keyword, besides its own parameters.
    without
        Options of the configs, as ``component__field``, that it has no use for.
    """
    own = inspect.signature(run)
    named = [each for each in own.parameters.values() if each.kind is not each.VAR_KEYWORD]
    shared = [each for each in config_parameters() if each.name not in without]
    keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*named, *shared)]

    def command(**values: Any) -> None:
        run(**values)

    command.__signature__ = own.replace(parameters=keyword)  # type: ignore[attr-defined]
    command.__annotations__ = {each.name: each.annotation for each in keyword}
    command.__doc__ = run.__doc__
    return command


def given_values(parsed: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the values that were given on the command line, by component and field."""
    values: dict[str, dict[str, Any]] = {}
    for key, value in parsed.items():
        component, separator, name = key.partition(SEPARATOR)
        if separator and value is not None and value != []:
            values.setdefault(component, {})[name] = value
    return values


def all_options() -> list[tuple[OptionInfo, bool]]:
    """Return every option of every component, and whether it takes several values."""
    return [
        (info, isinstance(default, tuple))
        for config in COMPONENTS.values()
        for info, default in options_of(config).values()
    ]


def one_value_each(
    arguments: Sequence[str], *, levels: Collection[str] = (), several_of: Collection[str] = ()
) -> list[str]:
    """Rewrite a command line whose options may take several values; see `rewrite`.

    ``several_of`` are options with several values that no config has.
    """
    options = all_options()
    flags = {flag for info, _ in options for each in info.flags for flag in each.split("/")}
    return rewrite(
        arguments,
        flags={*flags, *several_of, "--config-file"},
        repeated={
            *several_of,
            *(flag for info, several in options if several for flag in info.flags),
        },
        levels=levels,
    )


def _click_type(hint: Any) -> Any:
    """Return the type that click parses; the config itself checks the choices of a list."""
    if Auto in get_args(hint):
        return str  # the parser decides
    if get_origin(hint) is not tuple:
        return hint
    return list[int] if get_args(hint)[0] is int else list[str]


def _number_or_auto(value: str) -> float | str:
    return value if value == AUTO else float(value)


def _shown(default: Any) -> str | bool:
    """Return how the help shows a default; nothing for empty ones."""
    if isinstance(default, tuple):
        return " ".join(map(str, default)) or False
    if isinstance(default, bool):
        return False
    return str(default) or False
