"""An in-memory index over one whole generation of the shop's knowledge. It never changes once it is built.

Words are scored with BM25 over an inverted index of our own rather than FTS5: what a misspelt word stands
for and how much of the question a passage covers need the same vocabulary and postings, so one pass
gives all three, in any thread.

A passage is scored as a whole and by its best line, one phrasing of an FAQ or one or two sentences of a
document, so that what stands in one sentence is not drowned by the rest.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from store.embedding_space import Space
from store.knowledge import StoredChunk
from store.memory.bm25 import invert, rarities, rarity
from store.memory.denials import with_denials
from store.memory.index import Passage, Query
from store.memory.ranking import DEPTH, Positions, Scores, best, fuse
from store.memory.spelling import Vocabulary
from store.memory.weights import weight_of
from store.vectors import Matrix, matrix

# The best line's score counts this often beside the whole passage's.
_LINE_SHARE = 1.0
# A word that can be said in many ways tells less than the rarest of them would alone.
_SHARED_RARITY = 0.5
# Customers ask with the same words again and again.
_MOST_READINGS = 2_048

_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one word of a question adds, with all that it may stand for."""

    meant: tuple[str, ...]
    importance: float
    # Among all passages' scores, their covers and all lines' scores, one behind the other.
    places: Positions
    adds: Scores


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """What a query is worth to every passage: one array for each phrasing, and for each vector."""

    by_words: list[Scores]
    covered: list[Scores]
    similarity: npt.NDArray[np.float32]

    def rankings(self, most: int) -> list[Positions]:
        """The passages that fit at all, best first, by each vector and by the words."""
        rankings = [best(column, most) for column in self.similarity]
        if not self.by_words:
            return rankings
        # Scores by words of several phrasings are alike and may be added up: a clear one then decides,
        # which ranks could not show. They weigh as much as one ranking each.
        ranking = best(np.sum(self.by_words, axis=0), most)
        return [ranking] * len(self.by_words) + rankings


class PassageIndex:
    """One generation, searchable by words and, where there are vectors of ``space``, by meaning."""

    def __init__(self, chunks: Sequence[StoredChunk], *, generation: int, space: Space | None) -> None:
        self.generation = generation
        self.space = space
        self._chunks = tuple(chunks)
        self._rows = {chunk.id: row for row, chunk in enumerate(self._chunks)}
        texts = [chunk.search_text.split() for chunk in self._chunks]
        titles = [frozenset(_WORD.findall(chunk.title.lower())) for chunk in self._chunks]
        self._rarity = rarities(texts)
        self._unseen_rarity = rarity(0, len(self._chunks))
        self._postings = invert(texts, self._rarity, titles)
        lines, owners = _lines(self._chunks)
        self._line_count = len(lines)
        # Where the passages' covers and the lines' scores begin behind the passages' scores.
        self._parts = (len(self._chunks), 2 * len(self._chunks))
        self._line_postings = invert(lines, self._rarity)
        # Lines of one passage stand together: where each passage's begin, and which passages have any.
        self._line_owners, self._line_starts = np.unique(owners, return_index=True)
        self._vocabulary = Vocabulary(self._postings)
        self._readings: dict[tuple[str, frozenset[str]], _Reading] = {}
        self._vector_rows, self._vectors = _stack(self._chunks, space)

    def __len__(self) -> int:
        return len(self._chunks)

    @property
    def ids(self) -> Sequence[str]:
        """The passages' ids."""
        return tuple(self._rows)

    @property
    def vector_count(self) -> int:
        return len(self._vector_rows)

    def search(self, query: Query, *, limit: int) -> list[Passage]:
        """The best fitting passages, best first."""
        scored = self.score(query)
        return self._passages(scored, scored.rankings(DEPTH), limit=limit)

    def judge(self, scored: Scored, found: Sequence[str], *, limit: int) -> list[Passage]:
        """The best of the passages that another search found, which are given best first in its own order.

        That search knows neither misspelt words nor word families, so our own ranking of what it found joins
        its: ``scored`` is what the query is worth here. Ids that this generation lacks are left out.
        """
        theirs = np.array([self._rows[id] for id in found if id in self._rows], dtype=np.intp)
        ours = [ranking[np.isin(ranking, theirs)] for ranking in scored.rankings(len(self))]
        return self._passages(scored, [*ours, theirs], limit=limit)

    def spelled_out(self, text: str) -> str:
        """The text's words, and what each of them may stand for in this generation."""
        asked = with_denials(text.split())
        meant = [other for word, also in asked for other in self._reading(word, also).meant]
        return " ".join(dict.fromkeys([word for word, _ in asked] + meant))

    def score(self, query: Query) -> Scored:
        """What the query is worth to every passage."""
        by_words = [self._score_words(text) for text in query.texts]
        return Scored(
            by_words=[scores for scores, _ in by_words],
            covered=[covered for _, covered in by_words],
            similarity=self._similarity(query),
        )

    def _passages(self, scored: Scored, rankings: Sequence[Positions], *, limit: int) -> list[Passage]:
        similarity = scored.similarity
        nearest = np.max(similarity, axis=0) if len(similarity) else None
        # "Kalau itu berapa?" is covered by many a passage; what counts is whether its topic is as well.
        coverage = np.min(scored.covered, axis=0) if scored.covered else None
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
        """For every passage its score, and the share of the question's words that it contains."""
        readings = [self._reading(word, also) for word, also in with_denials(text.split())]
        asked = sum(reading.importance for reading in readings)
        scores, covered, lines = np.split(self._added_up(readings), self._parts)
        if self._line_count:
            best_line = np.maximum.reduceat(lines, self._line_starts)
            scores[self._line_owners] += np.float32(_LINE_SHARE) * best_line
        if asked > 0:
            covered /= np.float32(asked)
        return scores, covered

    def _added_up(self, readings: Sequence[_Reading]) -> Scores:
        """What all words add: every passage's score, then every passage's cover, then every line's score."""
        size = self._parts[1] + self._line_count
        if not readings:
            return np.zeros(size, dtype=np.float32)
        # One pass for all words and all three: adding each by itself cost three times as much.
        places = np.concatenate([reading.places for reading in readings])
        adds = np.concatenate([reading.adds for reading in readings])
        return np.bincount(places, adds, size).astype(np.float32)

    def _reading(self, word: str, also: frozenset[str]) -> _Reading:
        found = self._readings.get((word, also))
        if found is None:
            if len(self._readings) >= _MOST_READINGS:
                self._readings.clear()
            found = self._readings[word, also] = self._read(word, also)
        return found

    def _read(self, word: str, also: frozenset[str]) -> _Reading:
        weight = weight_of(word)
        meant = self._vocabulary.near(word, also)
        trusted = np.zeros(len(self._chunks), dtype=np.float32)
        for other, trust in meant:
            # A guess helps to find a passage more than it proves that the passage answers.
            _raise(trusted, self._postings[other].rows, np.float32(trust * trust))
        rows = np.flatnonzero(trusted)
        shared = rarity(len(rows), len(self._chunks))
        factors = {
            other: weight * trust * (1 - _SHARED_RARITY + _SHARED_RARITY * shared / self._rarity[other])
            for other, trust in meant
        }
        impacts = np.zeros(len(self._chunks), dtype=np.float32)
        line_impacts = np.zeros(self._line_count, dtype=np.float32)
        for other, factor in factors.items():
            # What a word may stand for are alternatives: the best of them counts, not their sum.
            whole, line = self._postings[other], self._line_postings[other]
            _raise(impacts, whole.rows, np.float32(factor) * whole.impacts)
            _raise(line_impacts, line.rows, np.float32(factor) * line.impacts)
        lines = np.flatnonzero(line_impacts)
        importance = weight * (self._rarity[meant[0][0]] if meant else self._unseen_rarity)
        return _Reading(
            meant=tuple(other for other, _ in meant),
            importance=importance,
            places=np.concatenate((rows, self._parts[0] + rows, self._parts[1] + lines)),
            adds=np.concatenate((impacts[rows], np.float32(importance) * trusted[rows], line_impacts[lines])),
        )

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


def _raise(scores: Scores, rows: Positions, to: Scores | np.float32) -> None:
    """Lift the scores of these rows to at least what is given."""
    scores[rows] = np.maximum(scores[rows], to)


def _lines(chunks: Sequence[StoredChunk]) -> tuple[list[list[str]], Positions]:
    """The words of each line, and the passages they belong to.

    Sentences that follow each other count together as well: one names the subject, the next says "it".
    Phrasings of an FAQ are complete in themselves.
    """
    found: list[list[str]] = []
    owners: list[int] = []
    for row, chunk in enumerate(chunks):
        lines = [line.split() for line in chunk.search_text.splitlines() if line]
        if chunk.answer is None:
            lines += [first + second for first, second in pairwise(lines)]
        found += lines
        owners += [row] * len(lines)
    return found, np.array(owners, dtype=np.intp)


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
