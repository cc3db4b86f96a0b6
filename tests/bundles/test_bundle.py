import hashlib
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import safetensors.torch
import torch
import yaml

from fmridecode.bundles.bundle import load, save
from fmridecode.core.origin import Origin
from fmridecode.core.trained import TrainedDecoder
from fmridecode.errors import BadDataError, CannotCreateError, NoInputError

CPU = torch.device("cpu")
SHAPE = (6, 7, 6)
Change = Callable[[dict], None]


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
    for words in (
        "`a` (task t)",
        "`b` (mean of b1 and b2)",
        "12 maps of 4 participants",
        "Some maps, by A. Person, B. Person.",
        "CC0",
        "| its folds | accuracy | 0.700 | 0.600 to 0.800 | 4 | 12 |",
        "a box",
        "1.500",
        "says nothing",
    ):
        assert words in card


def test_the_front_matter_is_yaml_and_no_text_breaks_out_of_it(
    decoder: TrainedDecoder, tmp_path: Path
) -> None:
    mean = "CC0\n---\nlibrary_name: other"
    save(replace(decoder, origin=replace(decoder.origin, licence=mean)), tmp_path / "mean")
    front = (tmp_path / "mean" / "README.md").read_text().split("\n---\n")[0]
    said = yaml.safe_load(front.removeprefix("---\n"))
    assert said["library_name"] == "fmridecode"
    assert said["license_name"] == mean
    metrics = said["model-index"][0]["results"][0]["metrics"]
    assert [each["value"] for each in metrics] == [0.7, 0.9]


def test_a_bundle_of_the_first_format_still_loads(folder: Path) -> None:
    def older(config: dict) -> None:
        config.update(format=1)
        del config["origin"], config["card_sha256"]

    rewrite(folder, older)
    (folder / "README.md").write_text("an older card")
    assert load(folder, device=CPU).decoder.origin == Origin()


def test_a_card_that_was_changed_is_refused(folder: Path) -> None:
    card = folder / "README.md"
    card.write_text(card.read_text().replace("0.700", "0.990"))
    with pytest.raises(BadDataError, match=r"README.md does not match the hash"):
        load(folder, device=CPU)


def test_a_header_that_promises_more_than_there_is_allocates_nothing(folder: Path) -> None:
    header = json.dumps(
        {"mask": {"dtype": "BOOL", "shape": [10**6, 10**6], "data_offsets": [0, 10**12]}}
    ).encode()
    swap_weights(folder, len(header).to_bytes(8, "little") + header + b"\0" * 8)
    with pytest.raises(BadDataError, match="not a usable decoder bundle"):
        load(folder, device=CPU)


@pytest.mark.parametrize("length", [2**62, 2**32, 1])
def test_a_header_of_a_false_length_is_refused(folder: Path, length: int) -> None:
    swap_weights(folder, length.to_bytes(8, "little") + b"{}")
    with pytest.raises(BadDataError, match="not a usable decoder bundle"):
        load(folder, device=CPU)


def test_weights_that_were_cut_short_are_refused(folder: Path) -> None:
    weights = (folder / "model.safetensors").read_bytes()
    swap_weights(folder, weights[: len(weights) // 2])
    with pytest.raises(BadDataError, match="not a usable decoder bundle"):
        load(folder, device=CPU)


def test_a_checkpoint_of_torch_is_not_unpickled(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"mask": Bomb()}, tmp_path / "checkpoint")
    swap_weights(folder, (tmp_path / "checkpoint").read_bytes())
    with pytest.raises(BadDataError, match="not a usable decoder bundle"):
        load(folder, device=CPU)
    assert not (tmp_path / "exploded").exists()


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
        ("members.0.head.bias", torch.zeros(3, dtype=torch.float64)),
        ("members.0.head.bias", torch.zeros(3, dtype=torch.int32)),
        ("mask", torch.zeros(SHAPE, dtype=torch.bool)),
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
        "a negative temperature": lambda c: c["calibration"].update(temperature=-1.5),
        "a temperature in words": lambda c: c["calibration"].update(temperature="1"),
        "a million layers": lambda c: c["model"].update(filters=[1] * 10**6),
        "a truth value for a number": lambda c: c["model"].update(halvings=True),
        "a number for a truth value": lambda c: c["model"].update(linear_path=1),
        "an unknown key at the top": lambda c: c.update(hook="os.system"),
        "an unknown key in a class": lambda c: c["classes"][0].update(code="x"),
        "a class that runs on a page": lambda c: c["classes"][0].update(
            name="<script>alert(1)</script>"
        ),
        "a class that moves the cursor": lambda c: c["classes"][0].update(name="a\x1b[2J"),
        "a class written backwards": lambda c: c["classes"][0].update(name="a\u202eb"),
        "a class over two lines": lambda c: c["classes"][0].update(name="a\nb"),
        "a class without a name": lambda c: c["classes"][0].update(name=""),
        "a class of endless length": lambda c: c["classes"][0].update(name="a" * 10**4),
        "two classes of one name": lambda c: c["classes"][0].update(name="b"),
        "a space that is a path": lambda c: c["grid"].update(space="../../etc"),
        "a resolution that is a path": lambda c: c["grid"].update(resolution="/tmp"),
        "a flat affine": lambda c: c["grid"].update(affine=[[0.0] * 4] * 4),
        "a ragged affine": lambda c: c["grid"].update(affine=[[1.0]]),
        "a grid without voxels": lambda c: c["grid"].update(shape=[0, 7, 6]),
        "a grid of four dimensions": lambda c: c["grid"].update(shape=[6, 7, 6, 1]),
        "authors that are code": lambda c: c["origin"].update(authors="eval"),
        "a licence with a bell": lambda c: c["origin"].update(licence="CC0\x07"),
        "a score without end": lambda c: c["origin"]["scores"][0].update(estimate=1e999),
        "a definition too few": lambda c: c["origin"].update(definitions=["one"]),
        "a fingerprint in words": lambda c: c["origin"]["fingerprints"].update(maps=["no"]),
        "a seed below zero": lambda c: c.update(seed=-1),
        "no hash": lambda c: c.pop("weights_sha256"),
        "a format below one": lambda c: c.update(format=0),
        "a format that is a truth value": lambda c: c.update(format=True),
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
