"""What all commands share: logs on standard error, and one line with an exit code on failure."""

import logging
import sys
from collections.abc import Callable

import typer
from rich.console import Console
from rich.logging import RichHandler

from fmridecode.errors import FmridecodeError

USAGE = 64


def set_up_logging(verbose: int) -> None:
    """Send the package's logs to standard error: progress, with ``verbose`` details."""
    console = Console(stderr=True)
    handler = RichHandler(
        console=console, show_path=False, show_level=False, rich_tracebacks=False
    )
    if not console.is_terminal:
        plain = logging.StreamHandler(sys.stderr)
        plain.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logging.basicConfig(level=logging.WARNING, handlers=[plain], force=True)
    else:
        handler.setFormatter(logging.Formatter("%(message)s", "%H:%M:%S"))
        logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("fmridecode").setLevel(logging.DEBUG if verbose > 0 else logging.INFO)
    if verbose > 1:
        logging.getLogger().setLevel(logging.DEBUG)


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; errors are printed as one line, no traceback."""
    try:
        code = command()
    except FmridecodeError as problem:
        return _fail(str(problem), problem.exit_code)
    except typer.TyperException as problem:
        return _fail(f"{problem.format_message()} (--help lists the options.)", USAGE)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("Interrupted.", 130)
    except BrokenPipeError:
        return 0
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    print(f"fmridecode: error: {message}", file=sys.stderr)  # noqa: T201
    return code
