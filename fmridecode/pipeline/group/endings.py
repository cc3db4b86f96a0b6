"""How the participants' tables end that the group level needs; imports no torch."""

PREDICTIONS = "desc-decoding_predictions.tsv"
SCORES = "desc-interpretability_scores.tsv"
