"""``logs/CITATION.md`` and ``logs/CITATION.bib``: what a run used, to be cited."""

from pathlib import Path

from fmridecode.atomic import write_atomically
from fmridecode.report.derivatives import Derivatives
from fmridecode.report.group.methods import methods_text, version_of
from fmridecode.report.references import cited_in

_HEAD = """\
# What to cite

The results in this folder were made with {software}. Please cite the works below, which are in
`CITATION.bib` too. The text may be pasted into a manuscript and changed; it holds for the settings
of the last run.

"""


def write_citation(output_dir: Path) -> None:
    """Write the methods text with its references, as far as the settings are known by now."""
    derivatives = Derivatives(root=output_dir)
    paragraphs = methods_text(derivatives)
    cited = cited_in(paragraphs)
    head = _HEAD.format(software=f"fmridecode {version_of(derivatives)}".strip())
    text = "\n\n".join(paragraphs)
    listed = "\n".join(f"{k}. {each.written}" for k, each in enumerate(cited, start=1))
    contents = {
        "CITATION.md": f"{head}## Methods\n\n{text}\n\n## References\n\n{listed}\n",
        "CITATION.bib": "\n\n".join(each.bibtex for each in cited) + "\n",
    }
    for name, content in contents.items():
        path = output_dir / "logs" / name
        if not path.exists() or path.read_bytes() != content.encode():  # parallel jobs agree
            write_atomically(path, content.encode())
