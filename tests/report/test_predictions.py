import pandas as pd

from fmridecode.report.participant.predictions import _decoded


def test_a_map_that_the_decoder_does_not_know_is_said_to_be_so_with_the_best_guess() -> None:
    row = pd.Series({"predicted_label": "motor", "known": False})
    assert str(_decoded(row, right=True)) == "does not know <em>(at best motor)</em>"


def test_a_map_that_it_knows_or_a_decoder_that_never_abstains_names_the_class() -> None:
    for more in ({"known": True}, {}):
        row = pd.Series({"predicted_label": "<b>", **more})
        assert _decoded(row, right=True) == "<b>"
        assert str(_decoded(row, right=False)) == "<em>&lt;b&gt;</em>"
