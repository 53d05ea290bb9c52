"""Reciprocal-rank fusion: rankings by words and by vectors become one without comparing their scores."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Positions = npt.NDArray[np.intp]

# The constant of Cormack, Clarke and Buettcher (SIGIR 2009): it damps the lead of the very first ranks.
DAMPING = 60
# Deeper ranks add less than a fiftieth of what the first one adds.
DEPTH = 50


def best(scores: Scores, most: int) -> Positions:
    """Positions of the highest scores above zero, best first; equal scores in the order of their rows."""
    positions = np.flatnonzero(scores > 0)
    if len(positions) > 4 * most:
        threshold = np.partition(scores[positions], len(positions) - most)[len(positions) - most]
        positions = positions[scores[positions] >= threshold]
    order = np.argsort(-scores[positions], kind="stable")
    chosen: Positions = positions[order[:most]]
    return chosen


@cache
def _weights(length: int) -> list[float]:
    """What each rank adds, from the first."""
    return [1 / (DAMPING + rank) for rank in range(1, length + 1)]


def fuse(rankings: Sequence[Positions]) -> list[tuple[int, float]]:
    """Each position of any ranking with its fused score, best first."""
    fused: dict[int, float] = {}
    for ranking in rankings:
        for position, weight in zip(ranking.tolist(), _weights(len(ranking)), strict=True):
            fused[position] = fused.get(position, 0.0) + weight
    # Equal scores keep the order of the first ranking, which is by the customer's words as written.
    return sorted(fused.items(), key=lambda item: -item[1])
