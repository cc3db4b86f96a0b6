"""One small file over the network, in seconds or not at all."""

import queue
import threading
import time

from fmridecode.errors import NoInputError, TryAgainError

SECONDS = 8.0
"""For name resolution, connection and the first bytes."""

_LONGEST = 60.0
_LARGEST = 2**28


def fetch(url: str, *, seconds: float = SECONDS) -> tuple[bytes, str]:
    """Return the content of a file and its ETag, which S3 makes the MD5.

    A thread does the work, for name resolution knows no timeout: behind a blackholed name server
    it would hang for minutes.

    Raises
    ------
    TryAgainError
        No connection within `seconds`.
    NoInputError
        The server has no such file.
    """
    answers: queue.Queue[tuple[bytes, str] | Exception | None] = queue.Queue()
    threading.Thread(target=_work, args=(url, seconds, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=seconds)
        if answer is None:  # connected: the content has longer
            answer = answers.get(timeout=_LONGEST)
    except queue.Empty:
        raise TryAgainError(f"{url} did not answer within {seconds:g} s") from None
    if isinstance(answer, Exception) or answer is None:
        reason = str(answer).split(":")[0] or type(answer).__name__
        raise TryAgainError(f"{url} cannot be reached ({reason})") from None
    content, etag = answer
    if not content:
        raise NoInputError(f"{url} is not there (HTTP status {etag})")
    return content, etag


def _work(
    url: str, seconds: float, answers: "queue.Queue[tuple[bytes, str] | Exception | None]"
) -> None:
    import requests

    try:
        with requests.get(url, stream=True, timeout=seconds) as response:
            if not response.ok:
                answers.put((b"", str(response.status_code)))
                return
            answers.put(None)
            content, end = b"", time.monotonic() + _LONGEST
            for chunk in response.iter_content(1 << 16):
                content += chunk
                if len(content) > _LARGEST or time.monotonic() > end:
                    raise TimeoutError("too large or too slow")
            answers.put((content, response.headers.get("ETag", "").strip('"')))
    except Exception as error:  # whatever requests raises goes to the waiting thread
        answers.put(error)
