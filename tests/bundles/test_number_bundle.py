import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fmridecode.bundles.bundle import load, save
from fmridecode.core.maps import MapClass
from fmridecode.core.target import Number, Spread, Target
from fmridecode.core.trained import TrainedDecoder, build_whole
from fmridecode.errors import BadDataError

CPU = torch.device("cpu")
Change = Callable[[dict], None]
NUMBER = Number(
    target=Target(name="age", unit="years", source="bids:input:participants.tsv"),
    mean=41.5,
    sd=12.25,
    spread=Spread(scale=1.2, at_bound=False, nll_before=1.6, nll_after=1.5, n_participants=4),
)


@pytest.fixture
def of_age(decoder: TrainedDecoder) -> TrainedDecoder:
    mask = decoder.model.mask
    return replace(
        decoder,
        model=build_whole(decoder.model_config, mask, 2, generator=torch.Generator()),
        classes=(MapClass(name="faces"),),
        origin=replace(decoder.origin, definitions=()),
        calibration=None,
        number=NUMBER,
    )


def test_a_decoder_of_a_number_comes_back_as_it_was(
    of_age: TrainedDecoder, tmp_path: Path
) -> None:
    assert save(of_age, tmp_path / "one") == save(of_age, tmp_path / "two")
    loaded = load(tmp_path / "one", device=CPU).decoder
    assert replace(loaded, model=of_age.model) == of_age
    x = torch.randn(2, *of_age.grid.shape)
    with torch.no_grad():
        assert torch.equal(loaded.model(x), of_age.model(x))


def test_decoders_of_classes_are_written_as_before(
    decoder: TrainedDecoder, of_age: TrainedDecoder, tmp_path: Path
) -> None:
    formats = {}
    for name, each in (("classes", decoder), ("number", of_age)):
        save(each, tmp_path / name)
        said = json.loads((tmp_path / name / "config.json").read_text())
        formats[name] = said["format"], "number" in said
    assert formats == {"classes": (2, False), "number": (3, True)}


def test_the_card_says_what_the_number_is(of_age: TrainedDecoder, tmp_path: Path) -> None:
    save(of_age, tmp_path)
    card = (tmp_path / "README.md").read_text()
    for words in (
        "Decodes the number `age` (in years) from one z-scored contrast map.",
        "mean of 41.5 and an SD of 12.25",
        "multiplied with\n1.200, found on 4 validation participants",
        "Its predictions\nhold for maps",
    ):
        assert words in card
    assert "Temperature" not in card


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda said: said["number"].update(sd=0.0), "its SDs are 0.0"),
        (lambda said: said["number"]["spread"].update(scale=-1.0), "its SDs are"),
        (lambda said: said["number"]["target"].update(name="<b>"), "its column"),
        (lambda said: said["number"]["target"].update(unit="a\u202eb"), "control character"),
        (lambda said: said.update(number=None), "either a temperature or a number"),
        (lambda said: said["number"].update(head="poisson"), "not known"),
    ],
)
def test_a_number_that_makes_no_sense_is_refused(
    of_age: TrainedDecoder, tmp_path: Path, change: Change, words: str
) -> None:
    save(of_age, tmp_path)
    said = json.loads((tmp_path / "config.json").read_text())
    change(said)
    (tmp_path / "config.json").write_text(json.dumps(said))
    with pytest.raises(BadDataError, match=words):
        load(tmp_path, device=CPU)
