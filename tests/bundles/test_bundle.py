import hashlib
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch

from fmridecode.bundles.bundle import load, save
from fmridecode.core.calibration import Calibration
from fmridecode.core.grid import Grid
from fmridecode.core.maps import MapClass
from fmridecode.core.settings import ModelConfig, TrainingConfig
from fmridecode.core.trained import TrainedDecoder, build_whole
from fmridecode.errors import BadDataError, CannotCreateError, NoInputError

CPU = torch.device("cpu")
SHAPE = (6, 7, 6)
Change = Callable[[dict], None]


@pytest.fixture
def decoder() -> TrainedDecoder:
    mask = torch.ones(SHAPE, dtype=torch.bool)
    mask[0] = False
    config = ModelConfig(filters=(3, 2), halvings=1, linear_path=True, ensemble=2)
    model = build_whole(config, mask, 3, generator=torch.Generator().manual_seed(1))
    return TrainedDecoder(
        model=model,
        model_config=config,
        training_config=TrainingConfig(epochs=3),
        classes=(
            MapClass(name="a", task="t", contrast="a"),
            MapClass(name="b"),
            MapClass(name="c"),
        ),
        grid=Grid(
            shape=SHAPE,
            affine=tuple(map(tuple, np.diag([8.0, 8.0, 8.0, 1.0]).tolist())),
            space="MNI152NLin2009cAsym",
            resolution="08",
        ),
        mask_source="a box",
        zscore="brain",
        calibration=Calibration(
            temperature=1.5,
            at_bound=False,
            nll_before=1.0,
            nll_after=0.9,
            ece_before=0.2,
            ece_after=0.1,
        ),
        n_maps=12,
        n_participants=4,
        seed=7,
    )


@pytest.fixture
def folder(decoder: TrainedDecoder, tmp_path: Path) -> Path:
    save(decoder, tmp_path / "fold-1")
    return tmp_path / "fold-1"


def rewrite(folder: Path, change: Change) -> None:
    config = json.loads((folder / "config.json").read_text())
    change(config)
    (folder / "config.json").write_text(json.dumps(config))


def swap_weights(folder: Path, weights: bytes) -> None:
    """Replace the weights and make the config agree, as someone with bad intent would."""
    (folder / "model.safetensors").write_bytes(weights)
    digest = hashlib.sha256(weights).hexdigest()
    rewrite(folder, lambda config: config.update(weights_sha256=digest))


def test_a_decoder_comes_back_as_it_was(decoder: TrainedDecoder, folder: Path) -> None:
    bundle = load(folder, device=CPU)
    assert replace(bundle.decoder, model=decoder.model) == decoder
    x = torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.equal(bundle.decoder.model(x), decoder.model(x))
    config = (folder / "config.json").read_bytes()
    assert bundle.hash == hashlib.sha256(config).hexdigest()


def test_saving_returns_the_hash_and_repeats_bit_by_bit(
    decoder: TrainedDecoder, folder: Path, tmp_path: Path
) -> None:
    assert save(decoder, tmp_path / "again") == load(folder, device=CPU).hash
    for path in folder.iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_the_card_says_what_a_stranger_must_know(folder: Path) -> None:
    card = (folder / "README.md").read_text()
    for words in ("`a` (task t)", "12 maps of 4 participants", "a box", "1.500", "says nothing"):
        assert words in card


def test_a_folder_that_cannot_be_made_is_one_line(decoder: TrainedDecoder, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotCreateError, match="cannot be created"):
        save(decoder, tmp_path / "file" / "fold-1")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(NoInputError, match=name):
        load(folder, device=CPU)


def test_weights_that_were_changed_are_refused(folder: Path) -> None:
    path = folder / "model.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(BadDataError, match="does not match the hash"):
        load(folder, device=CPU)


def test_a_newer_format_asks_for_an_upgrade(folder: Path) -> None:
    rewrite(folder, lambda config: config.update(format=99))
    with pytest.raises(BadDataError, match="upgrade fmridecode"):
        load(folder, device=CPU)


class Bomb:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (Path.touch, (Path("exploded"),))


def test_a_pickle_in_place_of_the_weights_is_never_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    swap_weights(folder, pickle.dumps(Bomb()))
    with pytest.raises(BadDataError, match="not a usable decoder bundle"):
        load(folder, device=CPU)
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("mask", torch.ones(2, 2, 2, dtype=torch.bool)),
        ("mask", torch.ones(SHAPE)),
        ("members.0.head.bias", torch.tensor([1.0, float("nan"), 0.0])),
        ("members.0.head.bias", torch.zeros(4)),
        ("members.5.head.bias", torch.zeros(3)),
        ("stranger", torch.zeros(1)),
    ],
)
def test_weights_that_do_not_fit_are_refused(
    folder: Path, name: str, tensor: torch.Tensor
) -> None:
    tensors = safetensors.torch.load_file(folder / "model.safetensors")
    swap_weights(folder, safetensors.torch.save({**tensors, name: tensor}))
    with pytest.raises(BadDataError, match="not a usable decoder bundle"):
        load(folder, device=CPU)


def lies() -> dict[str, Change]:
    return {
        "another grid": lambda c: c["grid"].update(shape=[9, 9, 9]),
        "no grid": lambda c: c.pop("grid"),
        "huge filters": lambda c: c["model"].update(filters=[3, 10**12]),
        "more filters than exist": lambda c: c["model"].update(filters=[10**30, 2]),
        "a huge ensemble": lambda c: c["model"].update(ensemble=10**12),
        "a huge hidden layer": lambda c: c["model"].update(architecture="dense", hidden=10**13),
        "another architecture": lambda c: c["model"].update(architecture="linear"),
        "no architecture": lambda c: c["model"].update(architecture="transformer"),
        "an unknown key": lambda c: c["model"].update(exec="import os"),
        "words for numbers": lambda c: c["model"].update(filters=["a"]),
        "a list for a table": lambda c: c.update(model=[1]),
        "fewer classes": lambda c: c.update(classes=c["classes"][:2]),
        "no temperature": lambda c: c["calibration"].update(temperature=0),
        "an undefined temperature": lambda c: c["calibration"].update(temperature=float("nan")),
        "no such z-score": lambda c: c.update(zscore="nothing"),
        "a format in words": lambda c: c.update(format="new"),
        "a recipe out of range": lambda c: c["training"].update(epochs=-1),
    }


@pytest.mark.parametrize("lie", lies())
def test_a_config_that_lies_is_bad_data_in_one_line(folder: Path, lie: str) -> None:
    rewrite(folder, lies()[lie])
    with pytest.raises(BadDataError) as caught:
        load(folder, device=CPU)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null", b"[" * 100_000, b"\xff\xfe"])
def test_a_config_that_is_none_is_bad_data(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.raises(BadDataError, match="not a usable decoder bundle"):
        load(folder, device=CPU)
