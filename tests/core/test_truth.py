import numpy as np

from fmridecode.core.truth import class_maps

VALUES = np.array([[1.0, 0.0], [3.0, 2.0], [10.0, 20.0]], dtype=np.float32)
TRUTH = class_maps(VALUES, np.array([0, 0, 2]), 3)


def test_several_maps_of_a_class_are_averaged():
    np.testing.assert_array_equal(TRUTH.values, [[2, 1], [0, 0], [10, 20]])


def test_a_class_without_maps_is_absent():
    assert TRUTH.present.tolist() == [True, False, True]
    assert TRUTH.n_classes == 2


def test_the_informative_activation_is_the_deviation_from_the_mean_of_the_present_classes():
    np.testing.assert_array_equal(TRUTH.informative(2), [4, 9.5])
    np.testing.assert_array_equal(TRUTH.informative(0), [-4, -9.5])


def test_the_difference_is_the_target_minus_the_label():
    np.testing.assert_array_equal(TRUTH.difference(2, 0), [8, 19])


def test_many_float32_maps_are_averaged_in_float64():
    values = np.full((100_001, 1), 0.1, dtype=np.float32)
    found = class_maps(values, np.zeros(len(values), dtype=np.int64), 1)
    np.testing.assert_allclose(found.values, np.float64(np.float32(0.1)), rtol=1e-12)
