"""What a participant's maps are taken for under attacks of growing strength."""

import pandas as pd
import torch

from fmridecode.core.robustness import STRENGTHS, attacked_logits
from fmridecode.pipeline.participant.decode import batches_of
from fmridecode.pipeline.participant.subject import Subject

SCORES = "desc-robustness_scores"
STEPS = {"quick": 5, "full": 20}
"""Steps of an attack, by reach."""
AT_ONCE = 8

ROBUSTNESS_DICTIONARY = {
    "participant_id": "Participant.",
    "session_id": "Session, n/a where the data set has none.",
    "label": "True class of the map.",
    "epsilon": "Bound of the attack's noise in SD per voxel: its L2 norm is at most that times "
    "the root of the number of voxels of the mask. 0: no attack.",
    "probability": "Calibrated probability of the true class.",
    "correct": "Whether the true class is the most probable one.",
    "steps": "Steps of projected gradient descent (PGD) on the probability of the true class, "
    "each 2.5 times the bound over their number.",
    "epsilon_trained": "Bound of the noise that the decoder was trained with, n/a for none.",
}


def robustness_tables(subject: Subject) -> dict[str, pd.DataFrame]:
    """Return one row for every map and strength."""
    steps = STEPS[subject.turn.config.evaluation.robustness]
    decoder, known = subject.decoder, subject.known
    training = decoder.training_config
    bound = training.epsilon if training.scheme != "standard" else None
    parts = [
        attacked_logits(decoder.model, x, labels, strengths=STRENGTHS, steps=steps)
        for x, labels in batches_of(subject.maps, known, subject.device).in_order(AT_ONCE)
    ]
    logits = torch.cat(parts, dim=1).double()
    p = torch.softmax(logits / decoder.temperature, dim=2).cpu().numpy()
    guess = logits.argmax(dim=2).cpu().numpy()
    rows = [
        {
            **subject.keys(example),
            "epsilon": strength,
            "probability": p[k, position, example.label],
            "correct": bool(guess[k, position] == example.label),
            "steps": steps,
            "epsilon_trained": bound,
        }
        for position, example in subject.examples()
        for k, strength in enumerate(STRENGTHS)
    ]
    table = pd.DataFrame(rows, columns=list(ROBUSTNESS_DICTIONARY))
    return {SCORES: table.astype({"epsilon_trained": "float64"})}
