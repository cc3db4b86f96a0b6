"""What was decoded, and that the decoder never saw the participant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from fmridecode.report.blocks import Block, Fact, Facts, Listing, Missing, Prose
from fmridecode.report.group.doubts import called
from fmridecode.report.numbers import count, enumeration, number, whole
from fmridecode.report.participant.rows import Rows, predictions, probability_columns, scores
from fmridecode.report.plausibility import find_outliers, plausibility_table
from fmridecode.report.words import method as method_title

if TYPE_CHECKING:
    from fmridecode.report.derivatives import Participant


def build(participant: Participant) -> tuple[Block, ...]:
    """Summarise predictions, scores and provenance in a few sentences."""
    rows = predictions(participant)
    if rows is None:
        return (
            Missing(
                what="This participant has not been decoded",
                file=f"{participant.name}/func/{participant.name}_desc-decoding_predictions.tsv",
                remedy="run the participant level for this participant",
            ),
        )
    names = [
        called(row.get("data_label"), row["true_label"]) for row in rows.frame.to_dict("records")
    ]
    facts = [
        *_decoding_facts(rows),
        *_score_facts(participant),
    ]
    return (
        Facts(facts=tuple(facts)),
        Prose(
            text=f"{participant.name} has {count(len(rows.frame), 'map')} in "
            f"{count(len(set(names)), 'condition')} ({enumeration(list(dict.fromkeys(names)))})."
        ),
        Prose(text=_honesty(participant, rows)),
        *_plausibility(participant),
    )


def _decoding_facts(rows: Rows) -> list[Fact]:
    """Count what was decoded correctly, of the maps whose class the decoder knows."""
    known = rows.frame[rows.frame["true_label"].notna()]
    if known.empty:
        return [
            Fact(
                value=whole(len(rows.frame)),
                label="maps decoded",
                note="of classes that the decoder does not know",
            )
        ]
    correct = int((known["true_label"] == known["predicted_label"]).sum())
    n_classes = len(probability_columns(rows))
    return [
        Fact(
            value=f"{correct} of {len(known)}",
            label="maps decoded correctly",
            note=f"{number(len(known) / n_classes, 1)} expected by chance" if n_classes else "",
        )
    ]


def _score_facts(participant: Participant) -> list[Fact]:
    rows = scores(participant)
    if rows is None:
        return []
    facts = []
    for criterion in ("CIA", "CAD"):
        chosen = rows.frame[rows.frame["criterion"] == criterion]
        means = chosen.groupby("method")["pearson_r"].mean().dropna()
        if means.empty:
            continue
        facts.append(
            Fact(
                value=number(float(means.max())),
                label=f"best {criterion}",
                note=f"{method_title(str(means.idxmax()))}, mean over maps",
            )
        )
    return facts


def _honesty(participant: Participant, rows: Rows) -> str:
    frame = rows.frame
    if "seen_in_training" not in frame:
        return "The predictions do not say whether the decoder had seen the participant."
    seen = int(frame["seen_in_training"].astype(bool).sum())
    folds = list(dict.fromkeys(frame["fold"].dropna())) if "fold" in frame else []
    decoder = _decoder(decoder_hashes(participant))
    where = f" of fold {enumeration(folds)}" if folds else ""
    if seen:
        return Markup(
            "<strong>Careful:</strong> the {}{} had seen this participant in {} of {}, so these "
            "results are not out of sample and say little about other people."
        ).format(decoder, where, whole(seen), count(len(frame), "prediction"))
    return Markup(
        "The {}{} <strong>never saw this participant</strong>, neither in training nor in "
        "validation: <code>seen_in_training</code> is false in {}."
    ).format(decoder, where, "all " + count(len(frame), "prediction"))


def _decoder(hashes: tuple[str, ...]) -> str:
    if len(hashes) > 1:
        return count(len(hashes), "decoder")
    return Markup("decoder <code>{}</code>").format(hashes[0][:12]) if hashes else "decoder"


def _plausibility(participant: Participant) -> tuple[Block, ...]:
    derivatives = participant.derivatives
    table = plausibility_table(derivatives)
    if table is None:
        return ()
    own = table.frame[table.frame["participant_id"] == participant.name]
    if own.empty:
        return ()
    found = [each for each in find_outliers(table) if each.participant == participant.name]
    link = Markup('<a href="{}">{}</a>').format(
        derivatives.link(table.path), "logs/plausibility.tsv"
    )
    checked = count(own["source"].nunique(), "map")
    if not found:
        return (Prose(text=Markup("Plausibility of {}: no outlier ({}).").format(checked, link)),)
    said = Markup("<strong>Careful:</strong> of {}, {} out of line ({}).")
    n = len({each.source for each in found})
    verb = f"{whole(n)} is" if n == 1 else f"{whole(n)} are"
    listed = dict.fromkeys(f"{each.source}: {each.reasons}" for each in found)
    return (Prose(text=said.format(checked, verb, link)), Listing(texts=tuple(listed)))


def decoder_hashes(participant: Participant) -> tuple[str, ...]:
    """Return the hashes of the decoders that the maps' sidecars name."""
    maps = (*participant.maps(), *participant.number_maps())
    found = (each.sidecar.get("DecoderHash") for each in maps)
    return tuple(dict.fromkeys(str(each) for each in found if each))
