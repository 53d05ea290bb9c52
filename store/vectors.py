"""Vectors as the store keeps them: little-endian float16, half the size at no loss that a search sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]
Matrix = npt.NDArray[np.float32]

_STORED = np.dtype("<f2")


def unit(vector: npt.ArrayLike) -> Vector:
    """The vector at length 1, so that a dot product is the cosine; a zero vector stays zero."""
    values = np.asarray(vector, dtype=np.float32)
    length = float(np.linalg.norm(values))
    return values / np.float32(length) if length > 0 else values


def to_bytes(vector: Vector) -> bytes:
    """The stored form of a unit vector: two bytes a dimension."""
    return np.asarray(vector, dtype=np.float32).astype(_STORED).tobytes()


def from_bytes(stored: bytes) -> Vector:
    """The vector that ``to_bytes`` stored."""
    return np.frombuffer(stored, dtype=_STORED).astype(np.float32)


def half_matrix(joined: bytes | bytearray, count: int, dimensions: int) -> npt.NDArray[np.float16]:
    """One row for each of the stored vectors, still in float16 and in the memory of ``joined``.

    Raises ValueError when they have another size.
    """
    if len(joined) != count * dimensions * _STORED.itemsize:
        raise ValueError(f"a stored vector does not have {dimensions} dimensions")
    return np.frombuffer(joined, dtype=_STORED).reshape(count, dimensions).astype(np.float16, copy=False)


def matrix(stored: Sequence[bytes], dimensions: int) -> Matrix:
    """One float32 row for each stored vector; raises ValueError when one has another size."""
    return half_matrix(b"".join(stored), len(stored), dimensions).astype(np.float32)
