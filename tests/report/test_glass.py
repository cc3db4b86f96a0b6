import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from fmridecode.errors import BadDataError
from fmridecode.report.glass import GlassBrain

Map = NDArray[np.float32]
Store = Callable[[Map], Path]


def test_colours_saturate_at_a_percentile_of_the_brains_absolute_values(
    smooth_map: Map, store: Store
) -> None:
    _, saturation = GlassBrain().png(store(smooth_map))
    expected = np.percentile(np.abs(smooth_map[smooth_map != 0]), 99)
    assert saturation == pytest.approx(expected, rel=1e-5)


def test_the_paper_shows_through_outside_the_brain(smooth_map: Map, store: Store) -> None:
    png, _ = GlassBrain().png(store(smooth_map))
    alpha = np.array(Image.open(io.BytesIO(png)).convert("RGBA"))[..., 3]
    assert alpha[0, 0] == 0
    assert alpha.max() > 200


def test_the_left_of_the_brain_is_on_the_left_of_the_view_from_above(
    smooth_map: Map, store: Store
) -> None:
    values = np.zeros_like(smooth_map)
    values[6:9, 12:18, 12:16] = 1  # x of -48 to -32 mm
    png, _ = GlassBrain().png(store(values))
    pixels = np.array(Image.open(io.BytesIO(png)).convert("RGBA")).astype(int)
    red = (pixels[..., 0] - pixels[..., 2] > 100) & (pixels[..., 3] > 100)
    columns = np.flatnonzero(red.any(axis=0)) / pixels.shape[1]
    above = columns[(columns > 0.36) & (columns < 0.62)]
    assert above.size
    assert above.mean() < 0.5


def test_a_map_of_zeros_is_shown_as_an_empty_brain(smooth_map: Map, store: Store) -> None:
    assert GlassBrain().png(store(0 * smooth_map))[1] == 0


def test_a_map_of_four_dimensions_is_refused(store: Store) -> None:
    with pytest.raises(BadDataError, match="expected one 3-D map"):
        GlassBrain().png(store(np.ones((4, 4, 4, 2), dtype=np.float32)))


def test_a_brain_that_was_used_before_gives_the_same_picture(
    smooth_map: Map, store: Store
) -> None:
    used = GlassBrain()
    used.png(store(-smooth_map))
    assert used.png(store(smooth_map)) == GlassBrain().png(store(smooth_map))
