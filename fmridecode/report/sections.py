"""The sections of the pages, in the order in which they appear.

To add one, write a function from the subject (`Derivatives` or `Participant`) to blocks, and
name it here. Navigation, links and printing follow from the entry. Pages of a decoded number have
their own, so that none is empty for want of classes.
"""

from fmridecode.report.derivatives import Derivatives, Participant
from fmridecode.report.group import (
    decoding,
    doubts,
    exclusions,
    faithfulness,
    files,
    interactions,
    interpretability,
    maps,
    methods,
    panels,
    participants,
    plausibility,
    regions,
    reliability,
    robustness,
    sanity,
    summary,
    training,
)
from fmridecode.report.page import Section
from fmridecode.report.participant import interactions as own_interactions
from fmridecode.report.participant import origin, overview, predictions, saliency, scores
from fmridecode.report.participant import panels as own_panels
from fmridecode.report.regression import doubts as number_doubts
from fmridecode.report.regression import maps as number_maps
from fmridecode.report.regression import participant as own_number
from fmridecode.report.regression import participants as number_participants
from fmridecode.report.regression import prediction
from fmridecode.report.regression import summary as number_summary
from fmridecode.report.regression.facts import is_unscored

GROUP_SECTIONS: tuple[Section[Derivatives], ...] = (
    Section(anchor="summary", title="Summary", question="", build=summary.build),
    Section(
        anchor="decoding",
        title="Decoding",
        question="Can the conditions be told apart in participants the decoder never saw?",
        build=decoding.build,
    ),
    Section(
        anchor="interpretability",
        title="Interpretability",
        question="Do the saliency maps look like the activation of the participant?",
        build=interpretability.build,
    ),
    Section(
        anchor="faithfulness",
        title="Faithfulness",
        question="Does the decoder use the voxels that the saliency maps mark?",
        build=faithfulness.build,
    ),
    Section(
        anchor="sanity",
        title="Sanity",
        question="Would the saliency maps survive random weights?",
        build=sanity.build,
    ),
    Section(
        anchor="reliability",
        title="Reliability",
        question="How stable are the saliency maps?",
        build=reliability.build,
    ),
    Section(
        anchor="robustness",
        title="Robustness",
        question="How strong an attack does the decoder bear?",
        build=robustness.build,
    ),
    Section(
        anchor="maps",
        title="Saliency maps",
        question="Where in the brain is the information?",
        build=maps.build,
    ),
    Section(
        anchor="panels",
        title="Examples",
        question="What should the maps of one participant look like, and do they?",
        build=panels.build,
    ),
    Section(
        anchor="regions",
        title="Regions",
        question="Which voxels and regions speak for a condition in everyone?",
        build=regions.build,
    ),
    Section(
        anchor="interactions",
        title="Interactions",
        question="How does what one region says depend on another?",
        build=interactions.build,
    ),
    Section(
        anchor="training",
        title="Training",
        question="Did the decoders converge, and were training and test kept apart?",
        build=training.build,
    ),
    Section(
        anchor="doubts",
        title="Doubts",
        question="Which predictions should not be taken as they are?",
        build=doubts.build,
    ),
    Section(
        anchor="participants",
        title="Participants",
        question="How does each participant contribute?",
        build=participants.build,
    ),
    Section(
        anchor="plausibility",
        title="Plausibility",
        question="Do all maps lie where a brain lies?",
        build=plausibility.build,
    ),
    Section(
        anchor="methods",
        title="Methods",
        question="What exactly was done, in words to paste into a manuscript?",
        build=methods.build,
    ),
    Section(
        anchor="exclusions",
        title="Exclusions",
        question="Who was left out, and why?",
        build=exclusions.build,
    ),
    Section(
        anchor="files",
        title="Files and provenance",
        question="Where does every number come from?",
        build=files.build,
    ),
)


def _shared(*anchors: str) -> tuple[Section[Derivatives], ...]:
    """Return sections that do not ask what was decoded."""
    return tuple(each for each in GROUP_SECTIONS if each.anchor in anchors)


PARTICIPANT_SECTIONS: tuple[Section[Participant], ...] = (
    Section(anchor="summary", title="Summary", question="", build=overview.build),
    Section(
        anchor="predictions",
        title="Predictions",
        question="What did the decoder say of each map, and how sure was it?",
        build=predictions.build,
    ),
    Section(
        anchor="maps",
        title="Saliency maps",
        question="Which voxels speak for the true class?",
        build=saliency.build,
    ),
    Section(
        anchor="panels",
        title="All classes",
        question="What should the maps of every class look like, and do they?",
        build=own_panels.build,
    ),
    Section(
        anchor="interactions",
        title="Interactions",
        question="How does what one region says depend on another?",
        build=own_interactions.build,
    ),
    Section(
        anchor="scores",
        title="Interpretability",
        question="Do the saliency maps look like this participant’s activation?",
        build=scores.build,
    ),
    Section(
        anchor="origin",
        title="Files and provenance",
        question="Which decoder made this, and from what?",
        build=origin.build,
    ),
)

NUMBER_SECTIONS: tuple[Section[Derivatives], ...] = (
    Section(anchor="summary", title="Summary", question="", build=number_summary.build),
    Section(
        anchor="prediction",
        title="Prediction",
        question="Can the number be predicted in participants the decoder never saw?",
        build=prediction.build,
    ),
    Section(
        anchor="maps",
        title="Maps",
        question="Where does activation go with the number, and what does the decoder use?",
        build=number_maps.build,
    ),
    *_shared("training"),
    Section(
        anchor="doubts",
        title="Doubts",
        question="Which predictions should not be taken as they are?",
        build=number_doubts.build,
    ),
    Section(
        anchor="participants",
        title="Participants",
        question="What was predicted of each participant?",
        build=number_participants.build,
    ),
    *_shared("plausibility", "methods", "exclusions", "files"),
)


def number_sections(derivatives: Derivatives) -> tuple[Section[Derivatives], ...]:
    """Return the sections of a decoded number: without scores where nobody could be scored."""
    if not is_unscored(derivatives):
        return NUMBER_SECTIONS
    scored = ("prediction", "maps", "participants")
    return tuple(each for each in NUMBER_SECTIONS if each.anchor not in scored)


NUMBER_PARTICIPANT_SECTIONS: tuple[Section[Participant], ...] = (
    Section(anchor="summary", title="Summary", question="", build=own_number.summary),
    Section(
        anchor="predictions",
        title="Predictions",
        question="What does each map give, and how sure is the decoder?",
        build=own_number.predictions,
    ),
    Section(
        anchor="maps",
        title="Saliency maps",
        question="Which voxels raise or lower the prediction?",
        build=own_number.maps,
    ),
    *(each for each in PARTICIPANT_SECTIONS if each.anchor == "origin"),
)
