"""Rewrite BIDS-App style arguments into what click understands.

BIDS Apps take ``--participant-label 01 02 03`` and spell options with hyphens or underscores;
click wants one value per option. Each value becomes an option of its own.
"""

from collections.abc import Collection, Sequence


def rewrite(
    arguments: Sequence[str],
    *,
    flags: Collection[str],
    repeated: Collection[str],
    levels: Collection[str],
) -> list[str]:
    """Return arguments with one value per option and hyphens in option names.

    Parameters
    ----------
    arguments
        The command line without the program's name.
    flags
        All long options, spelled with hyphens.
    repeated
        The options, long and short, that take several values.
    levels
        The analysis levels; when the values of an option run up to one of them, the last three
        values are taken to be BIDS_DIR, OUTPUT_DIR and the level.

    Examples
    --------
    >>> rewrite(["in", "out", "group", "--task_id", "a", "b"], flags={"--task-id"},
    ...         repeated={"--task-id"}, levels={"group"})
    ['in', 'out', 'group', '--task-id', 'a', '--task-id', 'b']
    """
    rewritten: list[str] = []
    rest = [_hyphenate(argument, flags) for argument in arguments]
    while rest:
        argument = rest.pop(0)
        if argument not in repeated:
            rewritten.append(argument)
            continue
        n_values = next((i for i, each in enumerate(rest) if each.startswith("-")), len(rest))
        values, rest = rest[:n_values], rest[n_values:]
        positional: list[str] = []
        if len(values) > 3 and values[-1] in levels:
            values, positional = values[:-3], values[-3:]
        if not values:
            rewritten.append(argument)
        for value in values:
            rewritten += [argument, value]
        rewritten += positional
    return rewritten


def _hyphenate(argument: str, flags: Collection[str]) -> str:
    name, equals, value = argument.partition("=")
    hyphenated = name.replace("_", "-")
    return hyphenated + equals + value if hyphenated in flags else argument
