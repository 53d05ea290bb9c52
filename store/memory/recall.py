"""Finds what one customer asked before: his own rows, parsed once, scored in memory.

No shared text index is asked: the cost of one grows with what *all* customers say ("harga berapa kak"), while
a customer's own newest turns are one indexed read, and none once they are cached.
"""

from __future__ import annotations

import dataclasses
import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, LargeBinary, and_, bindparam, case, null, select, type_coerce

from store.embedding_space import Space
from store.memory.index import Query, Recalled
from store.memory.ranking import DEPTH, Positions, Scores, best, fuse
from store.memory.weights import weight_of
from store.prepared import Prepared
from store.schema import at_most, turns
from store.vectors import Matrix, half_matrix

# Older turns of the same customer are not recalled: he has hardly a question left that the newest lack.
MOST_TURNS = 2_000
# Trimming copies everything, so it waits until this much is too much.
_TRIM_SLACK = 256
# Short histories are held in half precision, so that twice as many fit. Converting a long one at every
# question would cost a millisecond, as much as all the rest.
_HALF_PRECISION_UP_TO = 256
_MOST_LATE = 64
# All rows of a long history at once would take 15 MB, and leave as much in holes in the heap.
_ROWS_AT_ONCE = 100
# A history costs at least this beside its arrays.
_OVERHEAD_BYTES = 1_500

Numbers = npt.NDArray[np.int64]

_PARSED = (
    turns.c.id,
    turns.c.search_text,
    # Vectors of another model (before a --reembed is through) can't be compared with the question's.
    case(
        (
            and_(turns.c.model == bindparam("model"), turns.c.dimensions == bindparam("dimensions")),
            type_coerce(turns.c.vector, LargeBinary),
        ),
        else_=null(),
    ).label("vector"),
)
_OF_CUSTOMER = turns.c.customer_id == bindparam("customer")
_NEWEST = select(*_PARSED).where(_OF_CUSTOMER).order_by(turns.c.id.desc()).limit(at_most("most"))
_NEWER = Prepared(
    select(*_PARSED)
    .where(_OF_CUSTOMER, turns.c.id > bindparam("newest"))
    .order_by(turns.c.id.desc())
    .limit(at_most("most"))
)
_COLUMNS = select(turns.c.id, turns.c.asked, turns.c.replied, turns.c.author, turns.c.created_ms)


@cache
def _texts(count: int) -> Prepared:
    """The statement for so many turns: a list of unknown length would be rendered anew for each question."""
    wanted: list[Any] = [bindparam(f"wanted_{position}") for position in range(count)]
    return Prepared(_COLUMNS.where(_OF_CUSTOMER, turns.c.id.in_(wanted)))


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class History:
    """One customer's newest turns, parsed; oldest first. Never changed: a longer one takes its place.

    Words are kept as hashes in two flat arrays: one comparison over all of them finds a question's word.
    """

    ids: Numbers
    word_counts: Scores
    words: Numbers
    word_rows: Numbers
    vectors: Matrix | npt.NDArray[np.float16]
    # Those that came later stand apart for a while: copying megabytes for each new turn would cost 2 ms.
    late_vectors: Matrix | npt.NDArray[np.float16]
    vector_rows: Numbers
    # The change log up to here is contained in what was read first; ids that came later wait in `unlogged`
    # until their own log entry passes. Any other entry about a turn means that it was read too early.
    seen_seq: int
    unlogged: frozenset[int]

    @property
    def newest(self) -> int:
        return int(self.ids[-1]) if len(self.ids) else 0

    @property
    def size_bytes(self) -> int:
        arrays = (
            self.ids,
            self.word_counts,
            self.words,
            self.word_rows,
            self.vectors,
            self.late_vectors,
            self.vector_rows,
        )
        return _OVERHEAD_BYTES + sum(array.nbytes for array in arrays)

    def contains(self, turn_id: int) -> bool:
        position = int(np.searchsorted(self.ids, turn_id))
        return position < len(self.ids) and int(self.ids[position]) == turn_id


def read_newest(
    connection: Connection, customer_id: int, space: Space | None, *, most: int
) -> Iterator[Sequence[Any]]:
    """The customer's newest rows, newest first, in portions as ``parse`` takes them."""
    found = connection.execute(_NEWEST, {**_space(space), "customer": customer_id, "most": most})
    return found.partitions(_ROWS_AT_ONCE)


def read_newer(connection: Connection, customer_id: int, space: Space | None, *, newest: int) -> list[Any]:
    """The rows that came after ``newest``, newest first."""
    values = {**_space(space), "customer": customer_id, "newest": newest, "most": MOST_TURNS}
    return _NEWER.execute(connection, values).all()


def parse(portions: Iterable[Sequence[Any]], space: Space | None, *, seen_seq: int) -> History:
    """The history of the rows that ``read_newest`` gives."""
    dimensions = 0 if space is None else space.dimensions
    ids: list[int] = []
    counts: list[int] = []
    words: list[int] = []
    with_vector: list[int] = []
    vectors = bytearray()
    for rows in portions:
        for turn_id, text, vector in rows:
            if vector is not None:
                with_vector.append(len(ids))
                vectors += vector
            ids.append(turn_id)
            different = frozenset(text.split())
            counts.append(len(different))
            words.extend(map(hash, different))
    word_counts = _oldest_first(counts)
    return History(
        ids=_oldest_first(ids),
        word_counts=word_counts.astype(np.float32),
        words=_oldest_first(words),
        word_rows=np.repeat(np.arange(len(ids), dtype=np.int64), word_counts),
        vectors=_held(half_matrix(vectors, len(with_vector), dimensions)[::-1]),
        late_vectors=np.empty((0, dimensions), dtype=np.float16),
        vector_rows=len(ids) - 1 - _oldest_first(with_vector),
        seen_seq=seen_seq,
        unlogged=frozenset(),
    )


def _oldest_first(newest_first: list[int]) -> Numbers:
    return np.array(newest_first[::-1], dtype=np.int64)


def extend(history: History, rows: Sequence[Any], space: Space | None) -> History:
    """The history with newer rows behind it, cut to the newest 2,000 now and then."""
    if not rows:
        return history
    more = parse([rows], space, seen_seq=history.seen_seq)
    known = len(history.ids)
    longer = History(
        ids=np.concatenate((history.ids, more.ids)),
        word_counts=np.concatenate((history.word_counts, more.word_counts)),
        words=np.concatenate((history.words, more.words)),
        word_rows=np.concatenate((history.word_rows, more.word_rows + known)),
        vectors=history.vectors,
        late_vectors=_held(np.concatenate((history.late_vectors, more.vectors))),
        vector_rows=np.concatenate((history.vector_rows, more.vector_rows + known)),
        seen_seq=history.seen_seq,
        unlogged=history.unlogged | set(more.ids.tolist()),
    )
    if len(longer.ids) > MOST_TURNS + _TRIM_SLACK:
        return _trim(_joined(longer))
    return _joined(longer) if len(longer.late_vectors) > _MOST_LATE else longer


def rank(history: History, query: Query, *, before_turn: int | None, limit: int) -> list[tuple[int, float]]:
    """Ids of the best fitting turns with their fused scores, best first; only turns that fit at all."""
    end = len(history.ids)
    if before_turn is not None:
        end = int(np.searchsorted(history.ids, before_turn))
    start = max(0, len(history.ids) - MOST_TURNS)
    allowed = np.zeros(len(history.ids), dtype=np.float32)
    allowed[start:end] = 1
    rankings = [_best(_score_words(history, text) * allowed) for text in query.texts]
    if len(history.vector_rows):
        for vector in query.vectors:
            scores = np.zeros(len(history.ids), dtype=np.float32)
            scores[history.vector_rows] = np.concatenate(
                [
                    block.astype(np.float32, copy=False) @ vector
                    for block in (history.vectors, history.late_vectors)
                ]
            )
            rankings.append(_best(scores * allowed))
    return [(int(history.ids[row]), score) for row, score in fuse(rankings)[:limit]]


def fetch(connection: Connection, customer_id: int, ranked: Sequence[tuple[int, float]]) -> list[Recalled]:
    """The ranked turns as they are in SQL now. One that is gone, or no longer his, is left out."""
    if not ranked:
        return []
    wanted = {f"wanted_{position}": turn_id for position, (turn_id, _) in enumerate(ranked)}
    found = _texts(len(ranked)).execute(connection, {"customer": customer_id, **wanted})
    rows = {row[0]: row for row in found}
    return [
        Recalled(
            turn_id=turn_id,
            asked=rows[turn_id][1],
            replied=rows[turn_id][2],
            author=rows[turn_id][3],
            created_ms=rows[turn_id][4],
            score=score,
        )
        for turn_id, score in ranked
        if turn_id in rows
    ]


def _best(scores: Scores) -> Positions:
    """Of two turns that fit equally the newer one is first: what was said last holds."""
    newest_first: Positions = len(scores) - 1 - best(scores[::-1], DEPTH)
    return newest_first


def _score_words(history: History, text: str) -> Scores:
    """BM25's idea at its simplest: words that are rare with this customer count, long turns a little less."""
    scores = np.zeros(len(history.ids), dtype=np.float32)
    total = len(history.ids)
    asked = dict.fromkeys(text.split())
    # Nearly every turn says "kak" or "berapa"; they count only when nothing else was said.
    telling = [word for word in asked if weight_of(word) == 1] or list(asked)
    for word in telling:
        rows = history.word_rows[history.words == hash(word)]
        if len(rows):
            # Each word stands once in a row, so no row is met twice.
            scores[rows] += math.log(1 + (total - len(rows) + 0.5) / (len(rows) + 0.5))
    scores /= 1 + np.log1p(history.word_counts) / 4
    return scores


def _held(vectors: npt.NDArray[Any]) -> Matrix | npt.NDArray[np.float16]:
    """The vectors as a history keeps them, in memory of its own."""
    if len(vectors) <= _HALF_PRECISION_UP_TO:
        return np.ascontiguousarray(vectors, dtype=np.float16)
    return np.ascontiguousarray(vectors, dtype=np.float32)


def _joined(history: History) -> History:
    """The same history with all vectors in one block."""
    # Of one kind first: joining two kinds is much slower than converting one.
    late = history.late_vectors.astype(history.vectors.dtype)
    return dataclasses.replace(
        history,
        vectors=_held(np.concatenate((history.vectors, late))),
        late_vectors=history.late_vectors[:0].copy(),
    )


def _trim(history: History) -> History:
    cut = len(history.ids) - MOST_TURNS
    by_word = history.word_rows >= cut
    by_vector = history.vector_rows >= cut
    return dataclasses.replace(
        history,
        ids=history.ids[cut:].copy(),
        word_counts=history.word_counts[cut:].copy(),
        words=history.words[by_word],
        word_rows=history.word_rows[by_word] - cut,
        vectors=history.vectors[by_vector],
        vector_rows=history.vector_rows[by_vector] - cut,
    )


def _space(space: Space | None) -> dict[str, object]:
    # Rows without a vector have no model either, so a null here finds none.
    return {"model": space and space.model, "dimensions": space and space.dimensions}


class HistoryCache:
    """The histories that were used last, bounded in bytes."""

    def __init__(self, *, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._held: OrderedDict[int, History] = OrderedDict()
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, customer_id: int) -> History | None:
        """The customer's history, which thereby becomes the one used last."""
        history = self._held.get(customer_id)
        if history is not None:
            self._held.move_to_end(customer_id)
        return history

    def put(self, customer_id: int, history: History) -> None:
        """Hold the history; those unused for longest make room."""
        self.drop(customer_id)
        self._held[customer_id] = history
        self.size_bytes += history.size_bytes
        while self.size_bytes > self._most_bytes and self._held:
            self.drop(next(iter(self._held)))

    def drop(self, customer_id: int) -> None:
        """Forget the customer's history, if it is held."""
        history = self._held.pop(customer_id, None)
        if history is not None:
            self.size_bytes -= history.size_bytes

    def clear(self) -> None:
        self._held.clear()
        self.size_bytes = 0

    def apply_turn(self, customer_id: int, turn_id: int, *, seq: int, tombstone: bool) -> None:
        """A log entry about a turn: keep the history only if it certainly knows this already."""
        history = self._held.get(customer_id)
        if history is None or (not tombstone and turn_id > history.newest):
            return
        if not tombstone and turn_id in history.unlogged:
            # The size stays the same to the byte, so the bound needs no new count.
            self._held[customer_id] = dataclasses.replace(history, unlogged=history.unlogged - {turn_id})
        elif seq > history.seen_seq:
            self.drop(customer_id)
