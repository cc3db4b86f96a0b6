import tomllib
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from fmridecode.bids.derivatives import read_table
from fmridecode.bids.settings import SpaceConfig
from fmridecode.cli import tools
from fmridecode.config import compose
from fmridecode.core.truth import ClassMaps
from fmridecode.errors import UsageError
from fmridecode.experiments.gradient_reuse import tested as over_seeds
from fmridecode.experiments.simulation import simulate
from fmridecode.experiments.study import SimulationConfig
from fmridecode.pipeline import reuse, simulated_maps
from fmridecode.pipeline.participant.alignment import own_activation
from fmridecode.pipeline.simulated_maps import KnownStudy, simulated_study
from fmridecode.pipeline.study import estimate, run
from fmridecode.pipeline.study.claims import CLAIMS, claims_table, verdict
from fmridecode.pipeline.study.data import StudyData
from fmridecode.pipeline.study.report import write_study
from fmridecode.pipeline.study.rows import ROWS, decoder_config, decoders
from fmridecode.pipeline.study.run import run_study
from fmridecode.pipeline.study.tables import participant_means, stand_in

CPU = torch.device("cpu")
SMALL = {"training": {"epochs": 4}, "execution": {"device": "cpu"}}
FILES = (
    "study.tsv",
    "study.md",
    "study.png",
    "study.svg",
    "study.toml",
    "accuracy_tests.tsv",
    "interpretability_tests.tsv",
    "predictions.tsv",
    "scores.tsv",
    "claims.tsv",
    "stand_in.tsv",
)


def data_of(maps):
    """Return a study whose known truth is each participant's maps with the sign reversed."""
    known = {
        who: ClassMaps(values=-own_activation(maps, who).values, present=np.ones(3, np.bool_))
        for who in dict.fromkeys(maps.participants)
    }
    return StudyData(maps=maps, families={}, known=known, source={"source": "a test"})


@pytest.fixture(scope="module")
def done(quick, small_maps, tmp_path_factory):
    """Return the data, settings, folder, results and table of a finished study."""
    out, config, data = tmp_path_factory.mktemp("study"), quick(SMALL), data_of(small_maps())
    results = run_study(data, config, out, CPU)
    return data, config, out, results, write_study(out, results, seed=0)


def test_the_nine_rows_come_from_seven_decoders_and_are_named_once():
    assert [row.name for row in ROWS] == [
        "linear",
        "correlation",
        "cln",
        "cln-adversarial",
        "cnn",
        "cnn-gradient-x-input",
        "cnn-smoothgrad",
        "cnn-random-noise",
        "cnn-adversarial",
    ]
    assert len(decoders()) == 7
    assert [row.method for row in decoders()["cnn-standard"]] == [
        "gradient",
        "gradient-x-input",
        "smoothgrad",
    ]


def test_the_cnn_of_a_study_may_be_the_papers_but_nothing_else():
    config = compose({"model": {"architecture": "cnn-stride1"}})
    of_row = {name: decoder_config(config, rows).model for name, rows in decoders().items()}
    assert of_row["cnn-adversarial"].architecture == "cnn-stride1"
    assert of_row["cln-standard"].architecture == "cln"
    with pytest.raises(UsageError, match="--architecture is 'linear'"):
        decoder_config(compose({"model": {"architecture": "linear"}}), ROWS)


def test_all_tables_figures_and_the_summary_are_written(done):
    _, _, out, _, table = done
    assert all((out / name).stat().st_size > 0 for name in FILES)
    assert (out / "study.png").read_bytes().startswith(b"\x89PNG")
    assert ElementTree.parse(out / "study.svg").getroot().tag.endswith("svg")
    pd.testing.assert_frame_equal(read_table(out / "study.tsv"), table, rtol=1e-4)
    text = (out / "study.md").read_text()
    assert all(row.title in text for row in ROWS)
    assert "12 participants, 36 maps" in text


def test_every_decoder_tests_everyone_once_in_the_same_folds(done):
    predictions = done[3].predictions
    folds = predictions.groupby("decoder").apply(
        lambda rows: tuple(zip(rows["source"], rows["fold"], strict=True)), include_groups=False
    )
    assert folds.nunique() == 1
    assert not predictions.duplicated(["decoder", "source"]).any()
    assert not predictions["seen_in_training"].any()


def test_the_table_says_what_the_predictions_and_scores_say(done):
    _, _, _, results, table = done
    cnn = results.predictions[results.predictions["decoder"] == "cnn-standard"]
    line = table[table["row"] == "cnn-smoothgrad"].iloc[0]
    assert line["accuracy"] == cnn["correct"].mean()
    assert line["task_accuracy"] == (cnn["true_task"] == cnn["predicted_task"]).mean()
    assert line["accuracy_low"] <= line["accuracy"] <= line["accuracy_high"]
    scores = results.scores[results.scores["row"] == "cnn-smoothgrad"]
    cia = scores[(scores["criterion"] == "CIA") & (scores["reference"] == "own")]
    by_participant = cia.groupby("participant_id")["pearson_r"].mean()
    assert line["CIA_own"] == pytest.approx(by_participant.mean())
    assert line["CIA_own_se"] == pytest.approx(by_participant.std(ddof=1) / np.sqrt(12))


def test_the_known_truth_is_scored_for_itself(done):
    _, _, _, results, table = done
    np.testing.assert_allclose(table["CIA_known"], -table["CIA_own"])
    of_reference = results.scores.groupby("reference")["pearson_r"]
    assert of_reference.get_group("own").mean() > 0.05
    assert (stand_in(table)["spearman"] == -1).all()


def test_pairs_are_tested_over_participants_with_bonferroni_over_all_of_them(done):
    _, _, out, results, _ = done
    tests = read_table(out / "interpretability_tests.tsv")
    assert len(tests) == 2 * 2 * 36
    means = participant_means(results.scores, "own", "CAD")
    pair = tests[(tests["row_a"] == "linear") & (tests["row_b"] == "cnn-adversarial")]
    found = pair[(pair["reference"] == "own") & (pair["criterion"] == "CAD")].iloc[0]
    expected = stats.ttest_rel(means["linear"], means["cnn-adversarial"])
    assert found["t"] == pytest.approx(expected.statistic, rel=1e-4)
    assert found["df"] == 11
    assert found["p_bonferroni"] == pytest.approx(min(1, 36 * expected.pvalue), rel=1e-4)
    accuracy = read_table(out / "accuracy_tests.tsv")
    assert len(accuracy) == 2 * 21
    assert set(accuracy["measure"]) == {"accuracy", "task_accuracy"}


def test_finished_rows_are_kept_and_missing_ones_are_made_anew_alike(done, monkeypatch, tmp_path):
    data, config, out, results, _ = done
    trained = []
    monkeypatch.setattr(run, "train", lambda *args: trained.append(args))
    again = run_study(data, config, out, CPU)
    assert not trained
    pd.testing.assert_frame_equal(again.scores, results.scores)
    monkeypatch.undo()
    lost = out / "rows" / "linear-standard_predictions.tsv"
    before = lost.read_bytes()
    lost.unlink()
    run_study(data, config, out, CPU)
    assert lost.read_bytes() == before


def test_a_folder_with_another_study_is_refused(done, small_maps, quick):
    data, config, out, *_ = done
    with pytest.raises(UsageError, match=r"another study \(run.maps, run.participants differ"):
        run_study(data_of(small_maps(11)), config, out, CPU)
    with pytest.raises(UsageError, match=r"training.l2 differ"):
        run_study(data, quick(SMALL, {"training": {"l2": 0.5}}), out, CPU)


def test_a_long_study_says_first_how_long(done, monkeypatch, caplog, tmp_path):
    data, config, *_ = done
    monkeypatch.setattr(estimate, "seconds", lambda *_: 120.0)
    with caplog.at_level("INFO"):
        estimate.log_estimate(data, config, tmp_path, CPU)
    assert "will take about 14 minutes" in caplog.text


def pairs_of(differences, *, p=0.001):
    rows = [
        {"reference": "own", "criterion": "CIA", "row_a": a, "row_b": b, "difference": d}
        for (a, b), d in differences.items()
    ]
    return pd.DataFrame(rows).assign(p_bonferroni=p)


def test_a_claim_holds_only_with_every_sign_right_and_every_p_small():
    claim = next(each for each in CLAIMS if each.words.startswith("CLN"))
    right = {("cln", "cln-adversarial"): -0.1}
    assert verdict(claim, pairs_of(right), "own", "CIA") == "yes"
    assert (
        verdict(claim, pairs_of(right, p=0.2), "own", "CIA") == "in the means; not shown for CLN"
    )
    wrong = pairs_of({("cln-adversarial", "cln"): -0.1})
    assert verdict(claim, wrong, "own", "CIA") == "no: the other way round for CLN (p < .05)"


def test_exceptions_to_being_lowest_are_named_by_the_row_that_is_lower():
    claim = next(each for each in CLAIMS if each.words.startswith("Gradient"))
    differences = dict.fromkeys(claim.pairs, 0.1)
    differences["cnn-smoothgrad", "cnn-gradient-x-input"] = -0.1
    assert "CNN SmoothGrad (p < .05)" in verdict(claim, pairs_of(differences), "own", "CIA")


def test_every_claim_gets_a_verdict_for_every_criterion_and_reference(done):
    claims = claims_table(read_table(done[2] / "interpretability_tests.tsv"))
    assert len(claims) == 4 * len(CLAIMS)


def test_simulated_maps_are_z_scored_and_their_truth_is_the_signal(monkeypatch, template):
    monkeypatch.setattr(simulated_maps, "target_grid", lambda _: template)
    config = SimulationConfig(participants=3, classes=("motor", "language"), runs=2, seed=4)
    made = simulated_study(config, SpaceConfig(resolution=8))
    assert made.maps.values.shape == (6, *template.grid.shape)
    inside = made.maps.values[:, template.mask]
    np.testing.assert_allclose(inside.mean(axis=1), 0, atol=1e-5)
    np.testing.assert_allclose(inside.std(axis=1), 1, rtol=1e-5)
    first = list(simulate(template.grid, template.mask, config))[:2]
    np.testing.assert_array_equal(
        made.known["001"].values[0], first[0].signal[template.mask].astype(np.float64)
    )
    mean = np.mean([each.values for each in first], axis=0)[template.mask]
    assert np.corrcoef(mean, inside[0])[0, 1] == pytest.approx(1)
    assert made.families.keys() == {"001", "002", "003"}


def test_literal_and_reused_gradients_are_compared_on_the_same_maps(monkeypatch, template, quick):
    monkeypatch.setattr(simulated_maps, "target_grid", lambda _: template)
    config = quick({"space": {"resolution": 8}, "training": {"epochs": 4}})
    simulation = SimulationConfig(participants=10, classes=("motor", "language"))
    results = [reuse.run(job) for job in reuse.jobs(config, simulation, [0, 1])]
    table = reuse.seeds_table(results)
    assert len(table) == 2 * 2 * 2
    assert (table["literal"] != table["reuse"]).any()
    np.testing.assert_allclose(table["difference"], table["reuse"] - table["literal"])
    own = table[table["preset"] == "simulated, own maps"]
    assert over_seeds(own)["seeds"].tolist() == [2, 2]
    one_hop = replace(config, training=replace(config.training, steps=1))
    same = reuse.seeds_table([reuse.run(reuse.jobs(one_hop, simulation, [0])[0])])
    assert (same["difference"] == 0).all()


def test_the_command_makes_a_study_and_prints_its_table(monkeypatch, small_maps, tmp_path, capsys):
    data = data_of(small_maps())
    made = KnownStudy(maps=data.maps, families={}, known=data.known)
    monkeypatch.setattr(simulated_maps, "simulated_study", lambda *_: made)
    options = "--folds 3 --epochs 2 --ensemble 1 --smoothgrad-samples 1 --filters 2 3"
    line = ["fmridecode-tools", "study", "simulated", str(tmp_path / "out"), *options.split()]
    monkeypatch.setattr("sys.argv", [*line, "--omp_nthreads", "1", "--device", "cpu"])
    with pytest.raises(SystemExit) as stopped:
        tools.run()
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert "CNN adversarial" in printed
    assert "CAD, known truth" in printed
    table = read_table(tmp_path / "out" / "study.tsv")
    assert table["row"].tolist() == [row.name for row in ROWS]
    settings = tomllib.loads((tmp_path / "out" / "study.toml").read_text())
    assert settings["model"]["filters"] == [2, 3]
    assert settings["run"]["study"]["participants"] == 40
