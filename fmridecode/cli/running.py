"""What all commands share: logs on standard error, and one line with an exit code on failure."""

import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Callable, Iterator

import typer
from rich.console import Console
from rich.logging import RichHandler

from fmridecode.errors import FmridecodeError, TryAgainError
from fmridecode.pipeline.training.stopping import SIGNALS

USAGE = 64
_INTERRUPTED = 130


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


@contextlib.contextmanager
def _terminable(came: list[str]) -> Iterator[None]:
    """Let SIGTERM and SIGUSR1 unwind the command like an interrupt: temporary files are removed.

    The name of the signal is put into ``came``.
    """

    def stop(number: int, frame: object) -> None:
        came.append(signal.Signals(number).name)
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def exit_code_of(command: Callable[[], object]) -> int:
    """Run a command and return its exit code; errors are printed as one line, no traceback."""
    came: list[str] = []
    try:
        with _terminable(came):
            code = command()
    except FmridecodeError as problem:
        return _fail(str(problem), problem.exit_code)
    except typer.TyperException as problem:
        return _fail(f"{problem.format_message()} (--help lists the options.)", USAGE)
    except (KeyboardInterrupt, typer.Abort):
        code = _INTERRUPTED
    except BrokenPipeError:
        return 0
    except Exception:
        if not came:
            raise
        code = _INTERRUPTED  # what was told to end fell over on the way
    if code == _INTERRUPTED:  # also what typer makes of an interrupt
        what, code = (
            (f"{came[0]} came", TryAgainError.exit_code) if came else ("Interrupted", code)
        )
        return _fail(f"{what}. The same command goes on from here.", code)
    return code if isinstance(code, int) else 0


def _fail(message: str, code: int) -> int:
    sys.stderr.write(f"fmridecode: error: {message}\n")  # at once: several processes may fail
    return code
