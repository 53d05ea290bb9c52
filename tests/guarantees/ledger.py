"""The sender's own truth about a scenario, and the checker that judges the bot by it.

The ledger is written by the sender's process, never by the bot: what was sent, what was acknowledged,
what came back, when the bot was killed and what it had in hand then. The checker is pure.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

Entry = dict[str, Any]


class Ledger:
    """An append-only file of JSON lines; an entry is on the disk when ``note`` returns. Thread-safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def note(self, what: str, **facts: object) -> None:
        """One entry; ``what`` is started, sent, recorded, delivered, killed or ended."""
        with self._lock:
            self._file.write(json.dumps({"what": what, "at": time.monotonic(), **facts}) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())

    def entries(self) -> list[Entry]:
        """Everything so far, read back from the file."""
        with self._lock, self.path.open(encoding="utf-8") as lines:
            return [json.loads(line) for line in lines]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a scenario ended with. The bot is cleared when every one of the first five is empty."""

    lost: tuple[str, ...]  # acknowledged, never answered
    unrecorded: tuple[str, ...]  # sent to the very end, never acknowledged
    doubled: tuple[str, ...]  # answered by two outbox rows, or a row delivered more often than crashes allow
    unexpected: tuple[str, ...]  # answered but never sent, or answered in another's chat
    disordered: tuple[str, ...]  # answered after a later message of its chat
    answered: int
    crashes: int
    repeated: int  # rows delivered twice that a crash excuses
    unacknowledged: int  # ids that a crash found sent and not acknowledged, summed over the crashes

    @property
    def faults(self) -> dict[str, tuple[str, ...]]:
        """What speaks against the bot, by kind."""
        kinds = ("lost", "unrecorded", "doubled", "unexpected", "disordered")
        return {kind: found for kind in kinds if (found := getattr(self, kind))}


def check(entries: Iterable[Entry]) -> Verdict:
    """Judge a whole ledger; its last entry is the last that happened."""
    entries = list(entries)
    chat_of = {entry["id"]: entry["chat"] for entry in entries if entry["what"] == "sent"}
    acknowledged = _acknowledged(entries)
    delivered = [entry for entry in entries if entry["what"] == "delivered"]
    rows_of: dict[str, set[str]] = defaultdict(set)
    for entry in delivered:
        for message_id in entry["answers"]:
            rows_of[message_id].add(entry["row"])
    excess, repeated = _repetitions(entries)
    return Verdict(
        lost=tuple(message_id for message_id in acknowledged if message_id not in rows_of),
        unrecorded=tuple(message_id for message_id in chat_of if message_id not in acknowledged),
        doubled=(*sorted(message_id for message_id, rows in rows_of.items() if len(rows) > 1), *excess),
        unexpected=_unexpected(delivered, chat_of),
        disordered=_disordered(delivered, acknowledged),
        answered=len(rows_of),
        crashes=sum(entry["what"] == "killed" for entry in entries),
        repeated=repeated,
        unacknowledged=_unacknowledged_at_crashes(entries),
    )


def _acknowledged(entries: Sequence[Entry]) -> list[str]:
    """Ids that the bot said were committed, in the order in which it first said so."""
    outcomes = (entry for entry in entries if entry["what"] == "recorded")
    return list(dict.fromkeys(entry["id"] for entry in outcomes if entry["outcome"] in ("new", "duplicate")))


def _repetitions(entries: Sequence[Entry]) -> tuple[tuple[str, ...], int]:
    """Rows delivered again without excuse, and how many were with one.

    A crash excuses one more delivery of a row that it found in hand (claimed), and no other.
    """
    excused: set[str] = set()
    seen: set[str] = set()
    excess: list[str] = []
    repeated = 0
    for entry in entries:
        if entry["what"] == "killed":
            # An excuse lasts until it is used: the next crash may come before the row's turn.
            excused.update(str(row) for row in entry["claimed"])
        if entry["what"] != "delivered":
            continue
        row = entry["row"]
        if row in seen and row in excused:
            repeated += 1
        elif row in seen:
            excess.append(f"row {row}")
        excused.discard(row)
        seen.add(row)
    return tuple(excess), repeated


def _unexpected(delivered: Sequence[Entry], chat_of: dict[str, str]) -> tuple[str, ...]:
    return tuple(
        message_id
        for entry in delivered
        for message_id in entry["answers"]
        if chat_of.get(message_id) != entry["chat"]
    )


def _disordered(delivered: Sequence[Entry], acknowledged: Sequence[str]) -> tuple[str, ...]:
    place = {message_id: number for number, message_id in enumerate(acknowledged)}
    newest: dict[str, int] = {}
    answered: set[str] = set()
    late = []
    for entry in delivered:
        for message_id in entry["answers"]:
            if message_id in answered or message_id not in place:
                continue  # A repetition, or unexpected anyway.
            answered.add(message_id)
            if place[message_id] < newest.get(entry["chat"], -1):
                late.append(message_id)
            newest[entry["chat"]] = max(newest.get(entry["chat"], -1), place[message_id])
    return tuple(late)


def _unacknowledged_at_crashes(entries: Sequence[Entry]) -> int:
    open_ids: set[str] = set()
    total = 0
    for entry in entries:
        if entry["what"] == "sent":
            open_ids.add(entry["id"])
        elif entry["what"] == "recorded":
            open_ids.discard(entry["id"])
        elif entry["what"] == "killed":
            total += len(open_ids)
            open_ids.clear()
    return total
