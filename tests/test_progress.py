import pytest
from rich.console import Console

from fmridecode import progress as module
from fmridecode.progress import progress


def test_a_bar_says_nothing_when_standard_error_is_no_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with progress("Training", 2) as advance:
        advance()
        advance()
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal_names_the_work_and_counts_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        module, "Console", lambda stderr: Console(stderr=stderr, force_terminal=True)
    )
    with progress("Training", 2) as advance:
        advance()
        advance()
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Training" in shown.err
    assert "2/2" in shown.err
