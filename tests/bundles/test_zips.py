import io
import pickle
import stat
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from fmridecode.bundles.bundle import load
from fmridecode.bundles.files import CARD, CONFIG, WEIGHTS
from fmridecode.bundles.zips import read_zip, write_zip
from fmridecode.errors import BadDataError, NoInputError

WANTED = {CONFIG: 10**4, WEIGHTS: 10**6}
FILES = {CONFIG: b"{}", WEIGHTS: b"w" * 100}
Archive = zipfile.ZipFile


def zipped(fill: Callable[[Archive], object]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        fill(archive)
    return buffer.getvalue()


def both(archive: Archive, folder: str = "") -> None:
    for name, content in FILES.items():
        archive.writestr(folder + name, content)


@pytest.mark.parametrize("folder", ["", "decoder/"])
def test_files_at_the_top_or_in_one_folder_are_found(folder: str) -> None:
    content = zipped(lambda archive: both(archive, folder))
    assert read_zip(content, WANTED) == FILES


def test_what_a_file_manager_adds_does_no_harm() -> None:
    def fill(archive: Archive) -> None:
        both(archive, "decoder/")
        archive.writestr("__MACOSX/decoder/._config.json", b"x")
        archive.writestr("decoder/.DS_Store", b"x")

    assert read_zip(zipped(fill), WANTED) == FILES


def test_equal_files_make_equal_zips() -> None:
    assert write_zip(FILES) == write_zip(FILES)
    assert read_zip(write_zip(FILES), WANTED) == FILES


def link(archive: Archive) -> None:
    entry = zipfile.ZipInfo("config.json")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


def twice(archive: Archive) -> None:
    both(archive)
    with pytest.warns(UserWarning, match="Duplicate"):
        both(archive)


def bomb(archive: Archive) -> None:
    archive.writestr(CONFIG, b"{}")
    archive.writestr(WEIGHTS, b"\0" * 10**8)


def named(name: str) -> Callable[[Archive], None]:
    def fill(archive: Archive) -> None:
        both(archive)
        archive.writestr(name, b"x")

    return fill


ATTACKS: dict[str, tuple[Callable[[Archive], object], str]] = {
    "a parent": (named("../evil"), "leaves the bundle"),
    "a parent within": (named("a/../../evil"), "leaves the bundle"),
    "an absolute path": (named("/etc/cron.d/evil"), "leaves the bundle"),
    "a drive": (named("C:evil"), "leaves the bundle"),
    "a backslash": (named("..\\evil"), "leaves the bundle"),
    "a control character": (named("a\x1bb"), "leaves the bundle"),
    "a link": (link, "the link"),
    "the same file twice": (twice, "twice"),
    "two bundles": (lambda a: (both(a, "a/"), both(a, "b/")), "holds 2 bundles"),
    "a bomb": (bomb, "has more than"),
    "too many entries": (
        lambda a: [a.writestr(str(i), b"") for i in range(200)],
        "has 200 entries",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_zip_that_could_do_harm_is_refused(attack: str) -> None:
    fill, said = ATTACKS[attack]
    content = zipped(fill)
    with pytest.raises(ValueError, match=said):
        read_zip(content, WANTED)


def test_an_encrypted_zip_is_refused() -> None:
    content = bytearray(zipped(both))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(signature)
        content[start + offset] |= 1
    with pytest.raises(ValueError, match="encrypted"):
        read_zip(bytes(content), WANTED)


def test_a_size_that_lies_does_not_let_more_through() -> None:
    content = bytearray(zipped(bomb))
    start = content.rfind(b"PK\x01\x02")
    struct.pack_into("<I", content, start + 24, 10)  # the uncompressed size
    with pytest.raises(ValueError, match=r"not a readable zip|has more than"):
        read_zip(bytes(content), WANTED)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_zip_that_was_cut_short_is_refused(share: float) -> None:
    content = zipped(both)
    with pytest.raises(ValueError, match="not a readable zip"):
        read_zip(content[: int(len(content) * share)], WANTED)


def test_a_changed_byte_is_noticed() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        both(archive)
    content = buffer.getvalue().replace(b"wwww", b"wwwv", 1)
    with pytest.raises(ValueError, match="not a readable zip"):
        read_zip(content, WANTED)


def test_a_zip_loads_as_its_folder_does(folder: Path) -> None:
    packed = folder.with_suffix(".zip")
    packed.write_bytes(
        write_zip({name: (folder / name).read_bytes() for name in (WEIGHTS, CONFIG, CARD)})
    )
    cpu = torch.device("cpu")
    assert load(packed, device=cpu).hash == load(folder, device=cpu).hash


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("exploded"),))


def test_pickles_in_a_zip_are_never_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state": Bomb()}, tmp_path / "checkpoint.zip")  # torch's own format is a zip
    with pytest.raises(NoInputError, match=r"has no config\.json"):
        load(tmp_path / "checkpoint.zip", device=torch.device("cpu"))
    disguised = {CONFIG: pickle.dumps(Bomb()), WEIGHTS: pickle.dumps(Bomb()), CARD: b""}
    (tmp_path / "b.zip").write_bytes(write_zip(disguised))
    with pytest.raises(BadDataError, match="not a usable decoder bundle"):
        load(tmp_path / "b.zip", device=torch.device("cpu"))
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"not a zip at all"])
def test_a_file_that_is_no_zip_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "decoder.zip"
    path.write_bytes(content)
    with pytest.raises(BadDataError, match="not a readable zip") as caught:
        load(path, device=torch.device("cpu"))
    assert "\n" not in str(caught.value)
