"""SIGTERM and SIGUSR1 during a training: noted, so that it can stop between two minibatches."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
"""What a time limit or a person sends to end a run; SLURM sends either, as ``--signal`` says."""


class StopRequest:
    """Whether a signal has come, and its name."""

    def __init__(self) -> None:
        self.signal = ""


@contextlib.contextmanager
def deferred_stop() -> Iterator[StopRequest]:
    """Only note the first signal while the block runs; a second one acts as it did before.

    The block is to look at the request and to end itself. If it ends without having looked, the
    signal acts then.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request
        return
    before = {number: signal.getsignal(number) or signal.SIG_DFL for number in SIGNALS}

    def note(number: int, frame: FrameType | None) -> None:
        handler = before[signal.Signals(number)]
        if request.signal and callable(handler):
            handler(number, frame)
        request.signal = signal.Signals(number).name

    for number in SIGNALS:
        signal.signal(number, note)
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if request.signal:
        signal.raise_signal(signal.Signals[request.signal])
