"""An in-memory index over one whole generation of the shop's knowledge. It never changes once it is built.

Words are scored with BM25 over an inverted index of our own rather than FTS5: what a misspelt word stands
for and how much of the question a passage covers need the same vocabulary and postings, so one pass
gives all three, in any thread.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from store.embedding_space import Space
from store.knowledge import StoredChunk
from store.memory import words
from store.memory.index import Passage, Query
from store.memory.ranking import DEPTH, Positions, Scores, best, fuse
from store.memory.spelling import Vocabulary
from store.vectors import Matrix, matrix

# BM25's usual constants; passages are of similar length, so length matters less than in a web search.
_SATURATION = 1.2
_LENGTH_SHARE = 0.5
# A word of the title counts as if the text said it this many times more.
_TITLE_TIMES = 1.0

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Posting:
    """The passages that contain a word, and how much it adds to each one's score."""

    rows: Positions
    impacts: Scores


class PassageIndex:
    """One generation, searchable by words and, where there are vectors of ``space``, by meaning."""

    def __init__(self, chunks: Sequence[StoredChunk], *, generation: int, space: Space | None) -> None:
        self.generation = generation
        self.space = space
        self._chunks = tuple(chunks)
        self._postings, self._rarity = _invert(self._chunks)
        self._unseen_rarity = _rarity(0, len(self._chunks))
        self._vocabulary = Vocabulary(self._postings)
        self._vector_rows, self._vectors = _stack(self._chunks, space)

    def __len__(self) -> int:
        return len(self._chunks)

    @property
    def vector_count(self) -> int:
        return len(self._vector_rows)

    def search(self, query: Query, *, limit: int) -> list[Passage]:
        """The best fitting passages, best first."""
        by_words = [self._score_words(text) for text in query.texts]
        similarity = self._similarity(query)
        rankings = [best(scores, DEPTH) for scores, _ in by_words]
        rankings += [best(column, DEPTH) for column in similarity]
        nearest = np.max(similarity, axis=0) if len(similarity) else None
        coverage = np.max([covered for _, covered in by_words], axis=0) if by_words else None
        return [
            self._passage(
                row,
                score=score,
                coverage=0.0 if coverage is None else float(coverage[row]),
                similarity=None if nearest is None or nearest[row] < -1 else float(nearest[row]),
            )
            for row, score in fuse(rankings)[:limit]
        ]

    def _score_words(self, text: str) -> tuple[Scores, Scores]:
        """For every passage its BM25 score, and the share of the question's words that it contains."""
        scores = np.zeros(len(self._chunks), dtype=np.float32)
        covered = np.zeros(len(self._chunks), dtype=np.float32)
        asked = 0.0
        for word in dict.fromkeys(text.split()):
            weight = words.weight(word)
            meant = self._vocabulary.near(word)
            importance = weight * (self._rarity[meant[0][0]] if meant else self._unseen_rarity)
            asked += importance
            impact = np.zeros_like(scores)
            trusted = np.zeros_like(scores)
            for other, trust in meant:
                posting = self._postings[other]
                rows = posting.rows
                # The best reading of the word counts, not the sum of all: they are alternatives.
                impact[rows] = np.maximum(impact[rows], np.float32(trust) * posting.impacts)
                trusted[rows] = np.maximum(trusted[rows], np.float32(trust))
            scores += np.float32(weight) * impact
            covered += np.float32(importance) * trusted
        if asked > 0:
            covered /= np.float32(asked)
        return scores, covered

    def _similarity(self, query: Query) -> npt.NDArray[np.float32]:
        """One line a query vector: every passage's cosine, -2 where a passage has no vector."""
        if not query.vectors or not len(self._vector_rows):
            return np.empty((0, len(self._chunks)), dtype=np.float32)
        asked = np.stack(query.vectors).astype(np.float32, copy=False)
        if asked.shape[1] != self._vectors.shape[1]:
            raise ValueError(
                f"the query has {asked.shape[1]} dimensions, the stored vectors {self._vectors.shape[1]}"
            )
        similarity = np.full((len(asked), len(self._chunks)), -2, dtype=np.float32)
        similarity[:, self._vector_rows] = asked @ self._vectors.T
        return similarity

    def _passage(self, row: int, *, score: float, coverage: float, similarity: float | None) -> Passage:
        chunk = self._chunks[row]
        return Passage(
            id=chunk.id,
            kind=chunk.kind,
            title=chunk.title,
            text=chunk.text,
            answer=chunk.answer,
            score=score,
            coverage=min(1.0, coverage),
            similarity=similarity,
            metadata=chunk.metadata,
        )


def _invert(chunks: Sequence[StoredChunk]) -> tuple[dict[str, _Posting], dict[str, float]]:
    """Postings and rarity of every word. The work of BM25 is done here, once a generation."""
    entries: dict[str, list[tuple[int, float]]] = {}
    lengths = np.zeros(len(chunks), dtype=np.float32)
    for row, chunk in enumerate(chunks):
        in_text = chunk.search_text.split()
        title = set(_WORD.findall(chunk.title.lower()))
        lengths[row] = len(in_text)
        for word, times in Counter(in_text).items():
            entries.setdefault(word, []).append((row, times + _TITLE_TIMES * (word in title)))
    usual = float(lengths.mean()) if len(chunks) else 1.0
    damping = _SATURATION * (1 - _LENGTH_SHARE + _LENGTH_SHARE * lengths / max(usual, 1.0))
    rarity = {word: _rarity(len(found), len(chunks)) for word, found in entries.items()}
    postings = {}
    for word, found in entries.items():
        rows = np.array([row for row, _ in found], dtype=np.intp)
        counts = np.array([count for _, count in found], dtype=np.float32)
        impacts = np.float32(rarity[word]) * counts * np.float32(_SATURATION + 1) / (counts + damping[rows])
        postings[word] = _Posting(rows, impacts.astype(np.float32))
    return postings, rarity


def _rarity(containing: int, total: int) -> float:
    """BM25's inverse document frequency in the form that never becomes negative."""
    return float(np.log(1 + (total - containing + 0.5) / (containing + 0.5)))


def _stack(chunks: Sequence[StoredChunk], space: Space | None) -> tuple[Positions, Matrix]:
    """The vectors of ``space`` and the passages they belong to; others can't be compared."""
    if space is None:
        return np.empty(0, dtype=np.intp), np.empty((0, 0), dtype=np.float32)
    found = [
        (row, chunk.vector)
        for row, chunk in enumerate(chunks)
        if chunk.vector is not None and (chunk.model, chunk.dimensions) == (space.model, space.dimensions)
    ]
    rows = np.array([row for row, _ in found], dtype=np.intp)
    return rows, matrix([vector for _, vector in found], space.dimensions)
