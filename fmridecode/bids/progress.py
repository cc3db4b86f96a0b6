"""Progress on standard error while many files are read; nothing when that is no terminal."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def progress(items: Iterable[T], *, total: int, what: str) -> Iterator[T]:
    """Pass items on, with a bar that counts them."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(
        items,
        description=what,
        total=total,
        console=console,
        disable=not console.is_terminal,
        transient=True,
    )
