import hashlib

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from fmridecode.core.fingerprints import (
    BITS,
    NEAR,
    as_hexadecimal,
    differing_bits,
    find_duplicates,
    map_prints,
    participant_print,
    recognised,
    salt_of,
)

SHAPE = (12, 14, 12)
SALT = salt_of("tests")
MASK = np.ones(SHAPE, dtype=np.bool_)
MASK[0] = False


def smooth_maps(n: int, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((n, *SHAPE))
    maps = gaussian_filter(noise, (0, 1, 1, 1))
    maps[:, ~MASK] = 0
    inside = maps[:, MASK]
    maps[:, MASK] = (inside - inside.mean(1, keepdims=True)) / inside.std(1, keepdims=True)
    return maps.astype(np.float32)


def with_correlation(x: np.ndarray, other: np.ndarray, r: float) -> np.ndarray:
    """Return a map whose correlation with x is r, made of x and what is orthogonal in another."""
    a, b = x[MASK], other[MASK]
    b = b - a * (a @ b) / (a @ a)
    b *= np.linalg.norm(a) / np.linalg.norm(b)
    mixed = np.zeros_like(x)
    mixed[MASK] = r * a + np.sqrt(1 - r**2) * b
    return mixed


@pytest.mark.parametrize("r", [-1.0, -0.5, 0.0, 0.5, 0.9, 0.95, 0.99, 1.0])
def test_the_share_of_differing_bits_is_the_angle_between_the_maps(r: float) -> None:
    shares = []
    for seed in range(20):
        x, other = smooth_maps(2, seed)
        prints = map_prints(np.stack([x, with_correlation(x, other, r)]), MASK, salt=SALT)
        shares.append(differing_bits(prints[:1], prints[1:])[0, 0] / BITS)
    p = np.arccos(np.clip(r, -1, 1)) / np.pi
    error = np.sqrt(p * (1 - p) / (20 * BITS))
    assert np.mean(shares) == pytest.approx(p, abs=4 * error + 1e-3)


def test_a_map_is_recognised_when_it_was_scaled_shifted_and_stored_in_less_precision() -> None:
    x = smooth_maps(3)
    known = as_hexadecimal(map_prints(x, MASK, salt=SALT))
    again = (x.astype(np.float16).astype(np.float32) * 7 + 3) * MASK
    again += np.random.default_rng(1).normal(scale=0.02, size=x.shape).astype(np.float32) * MASK
    assert recognised(map_prints(again, MASK, salt=SALT), known).all()


def test_other_maps_are_not_recognised_even_where_they_correlate_by_a_half() -> None:
    x, others = smooth_maps(50, 1), smooth_maps(50, 2)
    known = as_hexadecimal(map_prints(x, MASK, salt=SALT))
    half = np.stack([with_correlation(a, b, 0.55) for a, b in zip(x, others, strict=True)])
    for strangers in (others, half, -x):
        assert not recognised(map_prints(strangers, MASK, salt=SALT), known).any()


@pytest.mark.parametrize(
    ("r", "low", "high"), [(0.9, 0.0, 0.05), (0.95, 0.3, 0.75), (0.98, 0.95, 1)]
)
def test_half_of_the_maps_are_found_at_r_095_and_nearly_all_at_098(
    r: float, low: float, high: float
) -> None:
    x, others = smooth_maps(100, 3), smooth_maps(100, 4)
    changed = np.stack([with_correlation(a, b, r) for a, b in zip(x, others, strict=True)])
    bits = differing_bits(map_prints(x, MASK, salt=SALT), map_prints(changed, MASK, salt=SALT))
    assert low <= (np.diag(bits) <= NEAR).mean() <= high


def test_fingerprints_of_another_salt_say_nothing() -> None:
    x = smooth_maps(1)
    a, b = (map_prints(x, MASK, salt=salt_of(name)) for name in "ab")
    assert abs(differing_bits(a, b)[0, 0] - BITS / 2) < 5 * np.sqrt(BITS) / 2


def test_the_order_of_fingerprints_does_not_tell_that_of_the_maps() -> None:
    x = smooth_maps(5)
    forward = as_hexadecimal(map_prints(x, MASK, salt=SALT))
    assert forward == as_hexadecimal(map_prints(x[::-1], MASK, salt=SALT))
    assert all(len(each) == BITS // 4 for each in forward)


def test_the_patterns_are_those_of_shake_256_bit_by_bit() -> None:
    x = smooth_maps(1)
    inside = x[0][MASK].astype(np.float64)
    stream = hashlib.shake_256(bytes.fromhex(SALT)).digest(len(inside) * BITS // 8)
    bits = [int(b) for byte in stream for b in f"{byte:08b}"]
    signs = 2.0 * np.array(bits).reshape(len(inside), BITS) - 1
    expected = (inside - inside.mean()) @ signs > 0
    found = np.unpackbits(map_prints(x, MASK, salt=SALT)[0]).astype(bool)
    assert (found == expected).all()


def test_a_participant_is_known_by_label_and_data_set_together() -> None:
    prints = {participant_print(d, w, salt=SALT) for d in ("a", "b") for w in ("1", "2")}
    assert len(prints) == 4
    assert participant_print("a", "1", salt=SALT) in prints
    assert participant_print("a", "1", salt=salt_of("other")) not in prints


def test_duplicates_are_found_between_participants_but_not_within_one() -> None:
    x = smooth_maps(4)
    values = np.concatenate([x, x[:1] * 1.0, x[1:2]])
    owners = ["p", "q", "r", "s", "t", "q"]
    found = find_duplicates(values, MASK, owners, salt=SALT)
    assert [(each.first, each.second) for each in found] == [(0, 4)]
    assert found[0].pearson_r == pytest.approx(1)


def test_nothing_is_recognised_where_nothing_was_recorded() -> None:
    prints = map_prints(smooth_maps(2), MASK, salt=SALT)
    assert not recognised(prints, ()).any()
    assert recognised(prints[:0], ("00" * 32,)).shape == (0,)


def test_some_maps_have_the_prints_that_they_have_among_all() -> None:
    x = smooth_maps(5)
    chosen = np.array([3, 1])
    some = map_prints(x, MASK, salt=SALT, indices=chosen)
    assert np.array_equal(some, map_prints(x, MASK, salt=SALT)[chosen])
