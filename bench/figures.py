"""One figure a line, for people and programs: ``figure NAME VALUE UNIT GOAL met|short``.

Behind ``short`` may stand why nothing better can be said: ``short (server-bound)``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# A figure is told with so many digits that a change worth talking about can be seen.
_DIGITS = 3
_WORD = "figure"


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """One measured value. ``at_most`` or ``at_least`` is its goal; with neither it is for comparison only."""

    name: str
    value: float
    unit: str
    at_most: float | None = None
    at_least: float | None = None
    # Why the measurement proves nothing, one word; it then counts as short whatever the value is.
    void: str = ""

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is met; None when there is none."""
        if self.void:
            return False
        if self.at_most is not None:
            return self.value <= self.at_most
        if self.at_least is not None:
            return self.value >= self.at_least
        return None

    def __str__(self) -> str:
        goal = "-"
        if self.at_most is not None:
            goal = f"<={number(self.at_most)}"
        elif self.at_least is not None:
            goal = f">={number(self.at_least)}"
        verdict = {True: "met", False: "short", None: "-"}[self.is_met]
        why = f" ({self.void})" if self.void else ""
        return f"{_WORD} {self.name} {number(self.value)} {self.unit} {goal} {verdict}{why}"


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    void: str = "",
) -> Figure:
    """Print the figure as its line, at once, and give it back."""
    made = Figure(name=name, value=value, unit=unit, at_most=at_most, at_least=at_least, void=void)
    print(made, flush=True)
    return made


def is_figure(line: str) -> bool:
    """Whether a line of a benchmark's output is a figure."""
    words = line.split()
    if words[-1:] and words[-1].startswith("("):
        words.pop()
    return line.startswith(f"{_WORD} ") and len(words) == 6


def falls_short(line: str) -> bool:
    """Whether a figure's line says that its goal is not met."""
    return is_figure(line) and line.split()[5] == "short"


def number(value: float) -> str:
    """Three telling digits, never in powers of ten: 12345, 123, 1.23, 0.0123."""
    digits = _DIGITS
    size = abs(value)
    while size >= 1 and digits > 0:
        size /= 10
        digits -= 1
    text = f"{value:.{digits}f}" if size >= 0.1 or value == 0 else f"{value:.{_DIGITS + 1}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantile(values: Iterable[float], share: float) -> float:
    """The value that ``share`` of all are at most as large as, between neighbours in proportion."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("there is no quantile of nothing")
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def median(values: Iterable[float]) -> float:
    """The middle value."""
    return quantile(values, 0.5)


def median_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of each round's ratio: both sides of a round saw the same machine."""
    return median(our / their for our, their in zip(ours, theirs, strict=True))


def share_of(part: float, whole: float) -> float:
    """``part`` in percent of ``whole``; 0 when there is nothing."""
    return 100 * part / whole if whole else 0.0
