"""The Boutiques descriptor: the command line for platforms that run tools by description."""

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from typer.models import ArgumentInfo

SCHEMA = "0.5"
IMAGE = "fmridecode:latest"
HANDS_OFF = {"version", "self_check", "bids_exec_spec"}
"""Options that print something and stop: no job of a platform."""

EXIT_CODES = {
    16: "The data set breaks BIDS.",
    17: "Unknown analysis level.",
    18: "The filters left no map.",
    64: "Options that contradict each other or have bad values.",
    65: "A file was read and its content cannot be used.",
    66: "A file or folder is missing or unreadable.",
    73: "An output cannot be created.",
    74: "Reading or writing failed half-way.",
    75: "A passing condition; the same command may succeed later.",
}


def descriptor(
    parameters: Sequence[inspect.Parameter], *, levels: Sequence[str], version: str
) -> dict[str, Any]:
    """Describe the command line of `fmridecode` by its own parameters.

    Parameters
    ----------
    parameters
        Of the command, annotated with typer's arguments and options.
    levels
        The analysis levels.
    version
        Of fmridecode.

    Returns
    -------
    dict
        The descriptor, by the Boutiques schema 0.5.
    """
    kept = [each for each in parameters if each.name not in HANDS_OFF]
    inputs = [entry for each in kept for entry in _inputs(each, levels)]
    return {
        "name": "fmridecode",
        "description": "Decode tasks from fMRI contrast maps, and show where in the brain the "
        "information is.",
        "tool-version": version,
        "schema-version": SCHEMA,
        "author": "The fmridecode developers",
        "command-line": " ".join(["fmridecode", *(each["value-key"] for each in inputs)]),
        "container-image": {"type": "docker", "image": IMAGE},
        "inputs": inputs,
        "output-files": [
            {
                "id": "output_dataset",
                "name": "Output data set",
                "description": "BIDS derivative with maps, tables and reports.",
                "path-template": "[OUTPUT_DIR]",
            }
        ],
        "error-codes": [{"code": code, "description": said} for code, said in EXIT_CODES.items()],
        "tags": {"domain": ["neuroinformatics", "mri"], "bids-app": True},
    }


def _inputs(parameter: inspect.Parameter, levels: Sequence[str]) -> Iterator[dict[str, Any]]:
    hint, declared = get_args(parameter.annotation)[:2]
    if get_origin(parameter.annotation) is not Annotated:
        raise TypeError(f"{parameter.name} has no typer declaration")
    entry = {"description": _description(declared), **_kind(hint)}
    if isinstance(declared, ArgumentInfo):
        name = parameter.name
        if name == "level":
            name, entry["value-choices"] = "analysis_level", list(levels)  # as BIDS Apps name it
        yield {**_named(name), **entry}
        return
    # typer's Option takes its first name for a default until the annotation is read
    flags = next(each for each in (declared.default, *declared.param_decls) if each)
    for flag in flags.split("/"):  # --this/--no-this are two
        name = flag.removeprefix("--").replace("-", "_")
        if getattr(declared, "count", False):
            entry["type"] = "Flag"
            entry.pop("integer", None)
        yield {**_named(name), **entry, "command-line-flag": flag, "optional": True}


def _named(name: str) -> dict[str, Any]:
    words = name.replace("_", " ")
    return {"id": name, "name": words[0].upper() + words[1:], "value-key": f"[{name.upper()}]"}


def _description(declared: Any) -> str:
    shown = declared.show_default
    return f"{declared.help} Default: {shown}." if isinstance(shown, str) else declared.help


def _kind(hint: Any) -> dict[str, Any]:
    """Return the type of an input, and whether it takes several values or one of a few."""
    if get_origin(hint) in (Union, UnionType):
        (hint,) = (each for each in get_args(hint) if each is not NoneType)
    if get_origin(hint) is Literal:
        return {"type": "String", "value-choices": list(get_args(hint))}
    if get_origin(hint) is list:
        return {**_kind(get_args(hint)[0]), "list": True}
    if hint is bool:
        return {"type": "Flag"}
    if hint is int:
        return {"type": "Number", "integer": True}
    if hint is float:
        return {"type": "Number"}
    return {"type": "File" if hint is Path else "String"}
