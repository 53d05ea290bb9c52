"""BM25 postings: which texts contain a word, and how much it adds to each one's score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from store.memory.ranking import Positions, Scores

# BM25's usual constants; passages are of similar length, so length matters less than in a web search.
_SATURATION = 1.2
_LENGTH_SHARE = 0.5
# A word of the title counts as if the text said it this many times more.
_TITLE_TIMES = 1.0


@dataclass(frozen=True, slots=True)
class Posting:
    """The texts that contain a word, and how much it adds to each one's score."""

    rows: Positions
    impacts: Scores


def rarity(containing: int, total: int) -> float:
    """BM25's inverse document frequency in the form that never becomes negative."""
    return float(np.log(1 + (total - containing + 0.5) / (containing + 0.5)))


def rarities(texts: Sequence[Sequence[str]]) -> dict[str, float]:
    """The rarity of every word of these texts."""
    containing = Counter(word for text in texts for word in set(text))
    return {word: rarity(count, len(texts)) for word, count in containing.items()}


def invert(
    texts: Sequence[Sequence[str]], rarity_of: Mapping[str, float], titles: Sequence[Set[str]] | None = None
) -> dict[str, Posting]:
    """Postings of every word. The work of BM25 is done here, once a generation."""
    entries: dict[str, tuple[list[int], list[float]]] = {}
    lengths = np.array([len(text) for text in texts], dtype=np.float32)
    for row, text in enumerate(texts):
        title = titles[row] if titles is not None else frozenset()
        for word, times in Counter(text).items():
            rows, counts = entries.setdefault(word, ([], []))
            rows.append(row)
            counts.append(times + _TITLE_TIMES * (word in title))
    usual = max(float(lengths.mean()), 1.0) if len(texts) else 1.0
    damping = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * lengths / usual)
    postings = {}
    for word, (rows, counts) in entries.items():
        at = np.array(rows, dtype=np.intp)
        said = np.array(counts, dtype=np.float32)
        impacts = np.float32(rarity_of[word] * (_SATURATION + 1)) * said / (said + damping[at])
        postings[word] = Posting(at, impacts.astype(np.float32))
    return postings
