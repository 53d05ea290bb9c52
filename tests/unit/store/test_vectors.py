from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from store.vectors import from_bytes, half_matrix, matrix, to_bytes, unit


def test_a_vector_is_stored_as_little_endian_float16() -> None:
    assert to_bytes(np.array([1.0, -2.0], dtype=np.float32)) == b"\x00\x3c\x00\xc0"


@given(
    arrays.arrays(np.float32, st.integers(1, 64), elements=st.floats(-1, 1, width=32)).filter(
        lambda vector: np.linalg.norm(vector) > 0.01
    )
)
def test_a_stored_unit_vector_comes_back_in_nearly_the_same_direction(vector: np.ndarray) -> None:
    direction = unit(vector)
    back = from_bytes(to_bytes(direction))
    assert back.dtype == np.float32
    assert float(unit(back) @ direction) > 0.9999


def test_a_zero_vector_stays_zero() -> None:
    assert unit([0.0, 0.0]).tolist() == [0.0, 0.0]


def test_many_stored_vectors_become_the_rows_of_one_matrix() -> None:
    rows = [unit(np.random.default_rng(number).standard_normal(8)) for number in range(5)]
    made = matrix([to_bytes(row) for row in rows], 8)
    assert made.dtype == np.float32
    assert made == pytest.approx(np.stack(rows), abs=1e-3)
    half = half_matrix(b"".join(to_bytes(row) for row in rows), 5, 8)
    assert half.dtype == np.float16
    assert half.tolist() == made.tolist()


def test_no_vectors_make_an_empty_matrix() -> None:
    assert matrix([], 8).shape == (0, 8)


def test_a_vector_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="8 dimensions"):
        matrix([to_bytes(unit(np.ones(8))), to_bytes(unit(np.ones(7)))], 8)
