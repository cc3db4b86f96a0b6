import numpy as np

from fmridecode.core.grid import Grid, as_rows
from fmridecode.core.maps import Example, MapClass, MapSet

ORIGINS = [("01", 0), ("02", 1), ("01", 1), ("03", 0)]
MAPS = MapSet(
    values=np.zeros((4, 2, 2, 2), dtype=np.float32),
    examples=tuple(
        Example(participant=participant, session="", label=label, sources=("map.nii.gz",))
        for participant, label in ORIGINS
    ),
    classes=(MapClass(name="pain"), MapClass(name="social")),
    mask=np.ones((2, 2, 2), dtype=bool),
    grid=Grid(shape=(2, 2, 2), affine=as_rows(np.eye(4)), space="T", resolution="8"),
    mask_source="made up",
)


def test_labels_participants_and_names_follow_the_examples():
    assert MAPS.labels.tolist() == [0, 1, 1, 0]
    assert MAPS.participants == ("01", "02", "01", "03")
    assert MAPS.class_names == ("pain", "social")


def test_the_examples_of_some_participants_are_found_in_order():
    assert MAPS.where({"03", "01"}).tolist() == [0, 2, 3]
    assert MAPS.where({"99"}).dtype == np.int64
    assert len(MAPS.where({"99"})) == 0
