import base64
import hashlib
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from fmridecode.errors import BadDataError, NoInputError
from fmridecode.report import build_group, build_participant
from fmridecode.report.sections import GROUP_SECTIONS, PARTICIPANT_SECTIONS


class Parsed(HTMLParser):
    """Collects what a page is made of."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="module")
def pages(finished: Path) -> dict[str, Path]:
    return {"group": build_group(finished), "participant": build_participant(finished, "sub-01")}


@pytest.fixture(params=["group", "participant"])
def html(request: pytest.FixtureRequest, pages: dict[str, Path]) -> str:
    return pages[request.param].read_text(encoding="utf-8")


def test_the_pages_lie_at_the_root_of_the_derivatives(
    pages: dict[str, Path], finished: Path
) -> None:
    assert pages["group"] == finished / "group.html"
    assert pages["participant"] == finished / "sub-01.html"


def test_labels_with_markup_appear_as_text(html: str, hostile: str) -> None:
    assert hostile not in html
    assert hostile in Parsed(html).text
    assert len(Parsed(html).all("script")) == 1


def test_a_page_loads_nothing(html: str) -> None:
    parsed = Parsed(html)
    for tag, attributes in parsed.tags:
        assert not str(attributes.get("src") or "data:").startswith(("http", "/", "file"))
        if tag == "link":
            assert attributes["href"] == "data:,"
    assert not re.search(r"url\((?!#)", html)
    assert "default-src 'none'" in html


def test_the_only_script_is_the_one_that_the_policy_names(html: str) -> None:
    script = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)[-1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html


def test_every_figure_has_a_text_for_those_who_cannot_see_it(html: str) -> None:
    parsed = Parsed(html)
    drawn = [each for each in parsed.all("svg") if each.get("role") == "img"]
    assert len(parsed.all("figure")) == len(parsed.all("img")) + len(drawn)
    assert all(each["alt"] for each in parsed.all("img"))
    assert all(each["aria-label"] for each in drawn)


def test_every_link_leads_to_a_file_or_an_anchor(html: str, finished: Path) -> None:
    parsed = Parsed(html)
    anchors = {str(attributes["id"]) for _, attributes in parsed.tags if "id" in attributes}
    written = {f"sub-{number:02d}.html" for number in range(1, 9)}
    for each in parsed.all("a"):
        href = str(each["href"])
        if href.startswith("#"):
            assert href[1:] in anchors
        elif href not in written:
            assert (finished / unquote(href)).exists(), href


def test_ids_are_unique(html: str) -> None:
    ids = [attributes["id"] for _, attributes in Parsed(html).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_every_figure_links_its_file_and_its_source(html: str) -> None:
    for figure in re.findall(r"<figcaption>.*?</figcaption>", html, re.DOTALL):
        hrefs = [str(each["href"]) for each in Parsed(figure).all("a")]
        assert hrefs[0].startswith("figures/")
        assert any(href.endswith((".tsv", ".nii.gz")) for href in hrefs[1:])


def test_sections_stand_in_the_declared_order(pages: dict[str, Path]) -> None:
    declared = {"group": GROUP_SECTIONS, "participant": PARTICIPANT_SECTIONS}
    for name, sections in declared.items():
        parsed = Parsed(pages[name].read_text(encoding="utf-8"))
        assert [each["id"] for each in parsed.all("section")] == [each.anchor for each in sections]


def test_the_summary_quotes_the_tables(pages: dict[str, Path]) -> None:
    text = " ".join(Parsed(pages["group"].read_text(encoding="utf-8")).text.split())
    assert "In 8 participants, 3 conditions" in text
    assert "accuracy of 0.71 [0.58, 0.83], where chance is 0.33" in text
    assert "Each of the 24 predictions comes from a decoder that had not seen" in text
    assert "paired t(7) = 2.70, Bonferroni-corrected p = 0.40 over 3 pairs, n = 8" in text


def test_a_participants_page_says_that_the_decoder_never_saw_the_participant(
    pages: dict[str, Path],
) -> None:
    text = " ".join(Parsed(pages["participant"].read_text(encoding="utf-8")).text.split())
    assert "decoder f3a9c1d27e55 of fold 1 never saw this participant" in text


def test_a_participant_that_was_seen_in_training_is_called_so(
    finished: Path, tmp_path: Path
) -> None:
    table = "sub-02/func/sub-02_desc-decoding_predictions.tsv"
    (tmp_path / table).parent.mkdir(parents=True)
    text = (finished / table).read_text(encoding="utf-8").replace("False\n", "True\n")
    (tmp_path / table).write_text(text, encoding="utf-8")
    html = build_participant(tmp_path, "02").read_text(encoding="utf-8")
    assert "had seen this participant in 3 of 3 predictions" in html


def test_an_empty_folder_gives_a_page_that_names_what_is_missing(tmp_path: Path) -> None:
    html = build_group(tmp_path).read_text(encoding="utf-8")
    for name in ("decoding_metrics", "confusion_counts", "interpretability_summary"):
        assert f"group_desc-{name}.tsv</code> is not there" in html
    (tmp_path / "sub-01").mkdir()
    assert "is not there" in build_participant(tmp_path, "01").read_text(encoding="utf-8")


@pytest.mark.parametrize("without", ["group_*", "models", "logs", "dataset_description.json"])
def test_a_page_is_written_without_any_optional_part(
    finished: Path, tmp_path: Path, without: str
) -> None:
    root = tmp_path / "partial"
    shutil.copytree(finished, root, ignore=shutil.ignore_patterns(without, "*saliency*", "*.html"))
    assert "</html>" in build_group(root).read_text(encoding="utf-8")


def test_a_missing_folder_or_participant_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="is not a folder"):
        build_group(tmp_path / "nowhere")
    with pytest.raises(NoInputError, match="no folder sub-07"):
        build_participant(tmp_path, "07")


def test_a_truncated_map_is_one_clear_line(finished: Path, tmp_path: Path) -> None:
    for path in finished.glob("group_*contrast-heat_desc-gradientToHeat_saliency.*"):
        shutil.copy(path, tmp_path)
        if path.suffix == ".gz":
            (tmp_path / path.name).write_bytes(path.read_bytes()[:200])
    with pytest.raises(BadDataError, match=r"saliency\.nii\.gz cannot be read"):
        build_group(tmp_path)


def test_a_report_is_written_twice_the_same(finished: Path, pages: dict[str, Path]) -> None:
    before = {path.name: path.read_bytes() for path in (finished / "figures").iterdir()}
    build_participant(finished, "01")
    assert before == {path.name: path.read_bytes() for path in (finished / "figures").iterdir()}


def test_the_report_does_not_import_torch() -> None:
    code = "import sys, fmridecode.report, nilearn.plotting; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
