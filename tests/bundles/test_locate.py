from pathlib import Path

import pytest

from fmridecode.bundles import locate as module
from fmridecode.bundles.locate import locate
from fmridecode.errors import NoInputError, UsageError


def test_a_folder_and_a_zip_are_bundles(folder: Path, tmp_path: Path) -> None:
    assert locate(str(folder)).kind == "bundle"
    packed = tmp_path / "some.zip"
    packed.touch()
    assert locate(str(packed)).path == packed


def test_an_output_folder_has_the_decoders_of_its_folds(tmp_path: Path) -> None:
    trained = tmp_path / "out" / "models" / "cnn-standard"
    trained.mkdir(parents=True)
    (trained / "folds.tsv").touch()
    for given in (tmp_path / "out", trained):
        found = locate(str(given))
        assert (found.kind, found.path) == ("folds", trained)
    second = trained.with_name("linear-standard")
    second.mkdir()
    (second / "folds.tsv").touch()
    with pytest.raises(UsageError, match="name one of them"):
        locate(str(tmp_path / "out"))


def test_a_shipped_decoder_goes_by_its_name_unless_a_path_has_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "shipped", lambda: {"hcp": folder})
    assert locate("hcp").path == folder
    with pytest.raises(NoInputError, match="did you mean hcp"):
        locate("hpc")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hcp").write_bytes(b"")
    assert locate("hcp").path == Path("hcp")


def test_a_folder_with_nothing_in_it_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="neither a bundle"):
        locate(str(tmp_path))
