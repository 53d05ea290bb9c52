"""The table at the end of a run with deaths in it: a row for each scenario, and their sum."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

_COLUMNS = (
    ("scenario", "name"),
    ("kills", "kills"),
    ("with work", "with_work"),
    ("lost", "lost"),
    ("doubled", "doubled"),
    ("disordered", "disordered"),
    ("credited twice", "credited_twice"),
    ("seed", "seed"),
)
_SUMS = ("kills", "with_work", "lost", "doubled", "disordered", "credited_twice")


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What one scenario counted, by unique ids. None: the scenario has no such thing."""

    name: str = ""  # the test's; filled in by the summary
    kills: int
    with_work: int | None = None  # deaths that found work in hand
    lost: int
    doubled: int
    disordered: int | None = None
    credited_twice: int | None = None
    seed: int | None = None

    def written(self) -> str:
        """As one line, for a property of the test: it comes from another process when several run tests."""
        return json.dumps(asdict(self))

    @classmethod
    def read(cls, name: str, line: str) -> Tally:
        """The row of the test ``name``."""
        return cls(**{**json.loads(line), "name": name})


def table(rows: Iterable[Tally]) -> list[str]:
    """The rows and their sum as a Markdown table, its lines."""
    rows = list(rows)
    sums = {key: _sum([getattr(row, key) for row in rows]) for key in _SUMS}
    bodies = [[_shown(getattr(row, key)) for _, key in _COLUMNS] for row in rows]
    total = ["**all**", *(_shown(sums.get(key)) for _, key in _COLUMNS[1:])]
    heads = [head for head, _ in _COLUMNS]
    return [_line(heads), _line(["---"] * len(heads)), *(_line(each) for each in (*bodies, total))]


def _sum(values: Sequence[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _shown(value: object) -> str:
    return "" if value is None else str(value)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
