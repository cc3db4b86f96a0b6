"""How the tables and maps end that are made where a number is decoded; imports no torch."""

PREDICTIONS = "desc-regression_predictions.tsv"
BASELINE = "desc-baseline_predictions.tsv"
ZSCORED = "desc-zscored_statmap.nii.gz"
SALIENCY = "_saliency.nii.gz"
