from pathlib import Path

import pytest

from fmridecode.config import (
    PRESETS,
    RunConfig,
    compose,
    compose_run,
    preset_values,
    read_toml,
    to_toml,
)
from fmridecode.errors import NoInputError, UsageError


def test_later_layers_win() -> None:
    config = compose({"split": {"folds": 3}}, {"split": {"folds": 4}, "model": {"hidden": 7}})
    assert (config.split.folds, config.model.hidden) == (4, 7)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_makes_a_config_that_survives_toml(name: str, tmp_path: Path) -> None:
    config = compose(preset_values(name))
    path = tmp_path / "run.toml"
    path.write_text(to_toml(config, {"level": "train"}))
    assert compose(read_toml(path)) == config


def test_the_paper_preset_is_table_2_and_algorithm_1() -> None:
    config = compose(preset_values("paper"))
    assert config.model.filters == (32, 32, 64, 64, 64)
    assert (config.training.scheme, config.training.steps) == ("adversarial", 4)
    assert config.training.epsilon == 0.1
    assert (config.training.batch_size, config.training.learning_rate) == (32, 1e-3)
    assert config.split.holdout
    assert not config.model.linear_path


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"split": {"flods": 3}}, "did you mean folds"),
        ({"splits": {}}, "did you mean split"),
        ({"split": {"folds": "3"}}, "expected a value of type int"),
        ({"split": {"folds": True}}, "expected a value of type int"),
        ({"split": {"folds": 1}}, "--folds is 1; expected 2 or more"),
        ({"split": 3}, "not a table"),
        ({"model": {"architecture": "transformer"}}, "expected one of linear"),
        ({"training": {"epsilon": -1.0}}, "--epsilon"),
        ({"saliency": {"methods": ["grad"]}}, "--saliency"),
        ({"space": {"resolution": 3}}, "--resolution is 3"),
        ({"execution": {"random_seed": -1}}, "--random-seed"),
    ],
)
def test_bad_values_are_named_with_what_was_expected(values: dict, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        compose(values)


def test_whole_numbers_do_where_numbers_are_expected() -> None:
    assert compose({"training": {"epsilon": 1}}).training.epsilon == 1.0


def test_an_unknown_preset_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="default, paper, quick"):
        preset_values("fast")


def test_a_missing_config_file_is_no_input(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="does not exist"):
        read_toml(tmp_path / "none.toml")


def test_a_broken_config_file_says_where(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[split]\nfolds = = 3\n")
    with pytest.raises(UsageError, match="line 2"):
        read_toml(path)


def test_a_config_file_with_a_byte_order_mark_and_crlf_is_read(tmp_path: Path) -> None:
    path = tmp_path / "windows.toml"
    path.write_bytes("\ufeff[split]\r\nfolds = 3\r\n".encode())
    assert compose(read_toml(path)) == compose({"split": {"folds": 3}})


def test_the_run_table_is_for_the_record_only(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    path.write_text(to_toml(RunConfig(), {"level": "group", "anything": "else"}))
    assert "run" not in read_toml(path)


def test_with_a_model_the_grid_is_left_to_it_unless_it_is_asked_for(tmp_path: Path) -> None:
    given = {"given": {"model": "there"}}
    free = compose_run("quick", given)
    assert (free.space.space, free.space.resolution) == ("", 0)
    asked = compose_run("quick", given, {"space": {"resolution": 4}})
    assert (asked.space.space, asked.space.resolution) == ("", 4)
    path = tmp_path / "run.toml"
    path.write_text(to_toml(free, {}))
    assert compose_run("default", read_toml(path)) == free


def test_without_a_model_the_grid_cannot_be_left_open() -> None:
    with pytest.raises(UsageError, match="--model"):
        compose({"space": {"resolution": 0}})
