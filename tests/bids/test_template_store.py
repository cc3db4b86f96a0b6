import hashlib
from pathlib import Path

import pytest

from fmridecode.bids import template_store, templateflow
from fmridecode.bids.template_store import known_spaces, stock, store_templates
from fmridecode.bids.templateflow import TemplateFlow
from fmridecode.cli import tools
from fmridecode.errors import NoInputError, TryAgainError, UsageError

SPACE = "MNI152NLin2009cAsym"
MASK = f"tpl-{SPACE}/tpl-{SPACE}_res-02_desc-brain_mask.nii.gz"
ATLAS = f"tpl-{SPACE}/tpl-{SPACE}_res-02_atlas-Schaefer2018_desc-100Parcels7Networks_dseg.nii.gz"
TABLE = f"tpl-{SPACE}/tpl-{SPACE}_atlas-Schaefer2018_desc-100Parcels7Networks_dseg.tsv"
CONTENT = {MASK: b"a mask", ATLAS: b"an atlas"}


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the known files small ones, and the network one that has nothing."""
    known = {
        path: hashlib.md5(content, usedforsecurity=False).hexdigest()
        for path, content in CONTENT.items()
    }

    def refuse(url: str) -> tuple[bytes, str]:
        raise TryAgainError(f"{url} cannot be reached")

    for module in (templateflow, template_store):
        monkeypatch.setattr(module, "known_md5", lambda: known)
    monkeypatch.setattr(templateflow, "fetch", refuse)


def archive(home: Path, **changed: bytes) -> TemplateFlow:
    for path, content in CONTENT.items():
        full = home / path
        full.parent.mkdir(parents=True, exist_ok=True)
        full.write_bytes(changed.get(path.rpartition("_")[2].partition(".")[0], content))
    return TemplateFlow(home=home)


def test_all_known_files_of_a_space_are_copied_with_their_licence_and_tables(
    tmp_path: Path,
) -> None:
    source = archive(tmp_path / "source").home
    flow = TemplateFlow(home=tmp_path / "home")
    assert stock(flow, SPACE).missing == tuple(CONTENT)
    (found,) = store_templates(flow, known_spaces(), source)
    assert (found.space, found.verified, found.missing) == (SPACE, 2, ())
    for path, content in CONTENT.items():
        assert (flow.home / path).read_bytes() == content
    assert "McConnell" in (flow.home / f"tpl-{SPACE}/LICENSE").read_text(encoding="utf-8")
    assert (flow.home / TABLE).read_text(encoding="utf-8").startswith("index")
    assert flow.resolutions(SPACE)["02"]["shape"] == [97, 115, 97]


def test_a_file_with_another_md5_is_neither_counted_nor_copied(tmp_path: Path) -> None:
    bad = archive(tmp_path / "bad", mask=b"another")
    assert stock(bad, SPACE).missing == (MASK,)
    with pytest.raises(NoInputError, match="MD5 is not TemplateFlow's; download it from https"):
        store_templates(TemplateFlow(home=tmp_path / "home"), [SPACE], bad.home)


def test_a_full_archive_needs_no_source(tmp_path: Path) -> None:
    flow = archive(tmp_path / "home")
    assert store_templates(flow, [SPACE])[0].verified == 2


def test_without_a_network_the_remedy_is_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="use --source FOLDER"):
        store_templates(TemplateFlow(home=tmp_path), [SPACE])


def test_a_space_of_which_nothing_is_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"did you mean {SPACE}"):
        store_templates(TemplateFlow(home=tmp_path), ["MNI152NLin2009c"])


def test_the_command_says_what_was_verified(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    source = archive(tmp_path / "source").home
    line = ["templates", str(tmp_path / "home"), "--space", SPACE, "--source", str(source)]
    tools.app(args=line, standalone_mode=False)
    assert f"{SPACE}, 2 files verified" in capsys.readouterr().out
