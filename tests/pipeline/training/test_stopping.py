import os
import signal

import pytest

from fmridecode.pipeline.training.stopping import SIGNALS, deferred_stop


class EndedError(Exception):
    pass


@pytest.fixture
def outer():
    """Count what the handler around the block gets, as that of the command line would."""
    seen = []

    def handler(number, frame):
        seen.append(number)
        raise EndedError

    before = {number: signal.signal(number, handler) for number in SIGNALS}
    yield seen
    for number, was in before.items():
        signal.signal(number, was)


def send_to_a_block(*numbers: signal.Signals, done: list[str], look: bool = False) -> None:
    with deferred_stop() as request:
        for number in numbers:
            os.kill(os.getpid(), number)
        done.append(request.signal)
        if look:
            raise ValueError(request.signal)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_is_noted_and_the_block_goes_on(outer, number) -> None:
    done: list[str] = []
    with pytest.raises(ValueError, match=number.name):
        send_to_a_block(number, done=done, look=True)
    assert done == [number.name]
    assert outer == []


def test_a_second_signal_acts_at_once(outer) -> None:
    done: list[str] = []
    with pytest.raises(EndedError):
        send_to_a_block(signal.SIGUSR1, signal.SIGTERM, done=done)
    assert done == []
    assert outer == [signal.SIGTERM]


def test_a_signal_that_nobody_looked_at_acts_at_the_end(outer) -> None:
    done: list[str] = []
    with pytest.raises(EndedError):
        send_to_a_block(signal.SIGTERM, done=done)
    assert done == ["SIGTERM"]
    assert outer == [signal.SIGTERM]


def test_the_handlers_before_are_put_back(outer) -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with deferred_stop():
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before
