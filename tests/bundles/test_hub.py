"""The Hub's cache, in the layout that huggingface_hub documents; no network."""

import builtins
import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from fmridecode.bundles.bundle import load
from fmridecode.bundles.files import CARD, CONFIG, WEIGHTS
from fmridecode.bundles.hub import fetch
from fmridecode.bundles.locate import locate
from fmridecode.errors import NoInputError, TryAgainError, UsageError

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CPU = torch.device("cpu")
constants = pytest.importorskip("huggingface_hub.constants")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty cache, with the Hub out of reach."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    return tmp_path / "hub"


@pytest.fixture
def cached(cache: Path, folder: Path) -> Path:
    """Put the small decoder into the cache: blobs, links to them, refs to the commit."""
    repository = cache / "models--lab--decoder"
    snapshot, blobs = repository / "snapshots" / COMMIT, repository / "blobs"
    for each in (snapshot, blobs, repository / "refs"):
        each.mkdir(parents=True)
    for name in (CONFIG, WEIGHTS, CARD):
        shutil.copy(folder / name, blobs / f"blob-of-{name}")
        (snapshot / name).symlink_to(Path("..", "..", "blobs", f"blob-of-{name}"))
    for ref in ("main", "v1"):
        (repository / "refs" / ref).write_text(COMMIT)
    return snapshot


@pytest.mark.parametrize("revision", ["", "@main", "@v1", f"@{COMMIT}"])
def test_a_decoder_in_the_cache_needs_no_network(
    cached: Path, folder: Path, revision: str
) -> None:
    found = locate(f"hf://lab/decoder{revision}")
    assert found.path.resolve() == cached.resolve()
    assert load(found.path, device=CPU).hash == load(folder, device=CPU).hash


@pytest.mark.parametrize("name", ["lab/other", "lab/decoder@v2"])
def test_what_is_not_in_the_cache_says_how_to_get_it(cached: Path, name: str) -> None:
    with pytest.raises(TryAgainError, match="run the same command with a network once"):
        fetch(name)


@pytest.mark.parametrize(
    "name",
    ["decoder", "lab/../decoder", "lab/decoder@", "a/b/c", "/lab/decoder", "lab/decoder@../main"],
)
def test_a_name_of_another_form_is_refused_before_anything_is_looked_up(
    cache: Path, name: str
) -> None:
    with pytest.raises(UsageError, match="not of the form"):
        fetch(name)


def test_without_huggingface_hub_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("huggingface_hub"):
            raise ImportError(name)
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"pip install 'fmridecode\[hub\]'"):
        fetch("lab/decoder")


class Hub(http.server.BaseHTTPRequestHandler):
    """A Hub on this machine that has nothing."""

    def do_GET(self) -> None:
        content = json.dumps({"error": "Repository not found"}).encode()
        self.send_response(404)
        self.send_header("X-Error-Code", "RepoNotFound")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_HEAD = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def hub(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "ENDPOINT", address)
    yield address
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_decoder_that_the_hub_does_not_have_is_no_input(hub: str) -> None:
    with pytest.raises(NoInputError, match="HTTP status 404"):
        fetch("lab/decoder")
