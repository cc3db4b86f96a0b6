"""The two pages: one of all participants, one of each."""

from pathlib import Path

from fmridecode.errors import NoInputError
from fmridecode.report.derivatives import Derivatives, Participant
from fmridecode.report.page import write_page
from fmridecode.report.regression.facts import is_of_number, is_of_number_in
from fmridecode.report.sections import (
    GROUP_SECTIONS,
    NUMBER_PARTICIPANT_SECTIONS,
    PARTICIPANT_SECTIONS,
    number_sections,
)


def build_group(output_dir: Path, underlay: Path | None = None) -> Path:
    """Write ``group.html`` and its figures from the derivatives in a folder.

    Whatever has not been computed is named on the page, with what would compute it.

    Parameters
    ----------
    output_dir
        The OUTPUT_DIR of a run at the ``group`` level.
    underlay
        Anatomical image in the space of the maps, to lie under slices of them.

    Returns
    -------
    Path
        The page. Its figures also lie under ``figures/``.

    Raises
    ------
    NoInputError
        The folder does not exist.
    BadDataError
        A table or sidecar is there, but cannot be used.
    """
    derivatives = Derivatives(root=_existing(output_dir), underlay=underlay)
    return write_page(
        derivatives,
        path=derivatives.root / "group.html",
        title="Group report",
        subject=derivatives,
        sections=number_sections(derivatives) if is_of_number(derivatives) else GROUP_SECTIONS,
    )


def build_participant(output_dir: Path, participant: str) -> Path:
    """Write ``sub-<label>.html`` and its figures from one participant's derivatives.

    Parameters
    ----------
    output_dir
        The OUTPUT_DIR of a run at the ``participant`` level.
    participant
        The participant's label, with or without ``sub-``.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    NoInputError
        The folder does not exist, or it has none for the participant.
    BadDataError
        A table or sidecar is there, but cannot be used.
    """
    derivatives = Derivatives(root=_existing(output_dir))
    subject = Participant(derivatives=derivatives, label=participant.removeprefix("sub-"))
    if not subject.folder.is_dir():
        raise NoInputError(
            f"{derivatives.root} has no folder {subject.folder.name}; run the participant level "
            f"for this participant first, or check the label"
        )
    return write_page(
        derivatives,
        path=derivatives.root / f"{subject.name}.html",
        title=f"Participant {subject.name}",
        subject=subject,
        sections=NUMBER_PARTICIPANT_SECTIONS if is_of_number_in(subject) else PARTICIPANT_SECTIONS,
    )


def _existing(output_dir: Path) -> Path:
    if not output_dir.is_dir():
        raise NoInputError(
            f"{output_dir} is not a folder; a report is made from the output of the participant "
            f"and group levels"
        )
    return output_dir.resolve()
