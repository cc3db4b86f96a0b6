import re
from itertools import product
from pathlib import Path

import pytest

import fmridecode.report
from fmridecode.report.boilerplate import boilerplate
from fmridecode.report.references import Reference, cited_in, parse, references
from fmridecode.report.resolved import Settings

CITATION = re.compile(r"[A-Z][\w-]+(?: et al\.| & [A-Z][\w-]+), (?:19|20)\d\d")


def test_every_work_that_the_package_cites_in_its_texts_is_known() -> None:
    known = set(references())
    sources = Path(fmridecode.report.__file__).parent.rglob("*.py")
    joined = {path: re.sub(r'"\s*f?"', "", path.read_text(encoding="utf-8")) for path in sources}
    cited = {label for text in joined.values() for label in CITATION.findall(text)}
    assert len(cited) > 20
    assert cited <= known


def test_every_combination_of_settings_cites_what_is_known() -> None:
    for architecture, scheme, reach in product(
        ("linear", "cnn"), ("standard", "adversarial", "pgd"), ("off", "full")
    ):
        tables = {
            "model": {"architecture": architecture},
            "training": {"scheme": scheme, "mixup": True, "learning_rate": 0.1},
            "evaluation": {
                "baseline": "linear",
                **dict.fromkeys(("faithfulness", "sanity", "reliability", "robustness"), reach),
            },
            "saliency": {"methods": ["gradient", "smoothgrad", "gradient-x-input"]},
        }
        text = boilerplate(
            Settings(tables=tables),
            group=Settings(tables={"evaluation": {"group_statistics": reach, "permutations": 9}}),
            given={},
            version="1", n_participants=4, n_maps=8, classes=("a", "b"),
        )  # fmt: skip
        labels = set(CITATION.findall(" ".join(text)))
        assert labels == {each.label for each in cited_in(text)}


@pytest.mark.parametrize("reference", references().values(), ids=lambda each: each.key)
def test_every_entry_is_whole_and_can_be_found(reference: Reference) -> None:
    fields = reference.fields
    assert {"author", "title", "year"} <= set(fields)
    assert {"doi", "eprint", "journal"} & set(fields)
    assert reference.key.endswith(fields["year"])
    assert fields["author"].lower().startswith(reference.key.rstrip("0123456789"))
    assert reference.bibtex.count("{") == reference.bibtex.count("}")
    assert not re.search(r"[{}]", reference.written)
    assert list(parse(reference.bibtex).values()) == [reference]


def test_entries_are_written_as_in_a_list_of_references() -> None:
    known = references()
    assert known["Phipson & Smyth, 2010"].written == (
        "Phipson B, Smyth GK (2010). Permutation P-values should never be zero: calculating exact "
        "P-values when permutations are randomly drawn. Statistical Applications in Genetics and "
        "Molecular Biology 9:39. doi:10.2202/1544-6115.1585."
    )
    assert known["Shafahi et al., 2019"].written == (
        "Shafahi A et al. (2019). Adversarial training for free! arXiv:1904.12843."
    )
