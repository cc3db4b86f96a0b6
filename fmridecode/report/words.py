"""Names of metrics, methods, schemes and architectures as a reader would say them."""

from collections.abc import Collection

METRICS = {
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "task_accuracy": "Task accuracy",
    "log_loss": "Log loss",
    "brier_score": "Brier score",
    "ece": "Expected calibration error",
    "roc_auc": "ROC AUC",
}

METHODS = {
    "weights": "Weights",
    "gradient": "Gradient",
    "gradient-x-input": "Gradient × input",
    "smoothgrad": "SmoothGrad",
}

ARCHITECTURES = {
    "linear": "a multinomial linear decoder",
    "correlation": "a decoder by correlation with the mean map of each class",
    "cln": "a convolutional network without non-linearities",
    "cnn": "a convolutional network with rectified linear units",
    "cnn-stride1": "a convolutional network with rectified linear units",
    "dense": "a network with one dense hidden layer",
}

CRITERIA = {
    "CIA": "class informative activation",
    "CAD": "class activation difference",
}


def metric(name: str) -> str:
    """Return a metric's title.

    >>> metric("brier_score")
    'Brier score'
    """
    return METRICS.get(name, name.replace("_", " ").capitalize())


def method(name: str) -> str:
    """Return a saliency method's title.

    >>> method("gradient-x-input"), method("lime")
    ('Gradient × input', 'lime')
    """
    return METHODS.get(name, name)


def main_method(names: Collection[str]) -> str:
    """Return the method that is shown where one has to do, chosen without looking at results.

    >>> main_method(["gradient", "smoothgrad"]), main_method(["lime"]), main_method([])
    ('smoothgrad', 'lime', '')
    """
    preferred = ("smoothgrad", "gradient", "weights", *names)
    return next((name for name in preferred if name in names), "")
