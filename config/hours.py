"""Weekly opening hours: reading them as a shop owner writes them, and when the shop is open next. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

DAYS = ("senin", "selasa", "rabu", "kamis", "jumat", "sabtu", "minggu")
_SPELLINGS = {"jum'at": "jumat", "ahad": "minggu"}
_EVERY_DAY = frozenset({"setiap_hari", "setiap hari", "tiap hari", "semua"})
_ZONE_NAMES = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Jayapura": "WIT",
}
_FULL_DAY_MIN = 24 * 60
_SPAN = re.compile(r"(\d{1,2})(?:[.:](\d{2}))?\s*(?:-|–|—|s\.?/?d\.?|sampai)\s*(\d{1,2})(?:[.:](\d{2}))?")
_EXAMPLE = 'misalnya "08.00-20.00", "08.00-12.00, 13.00-17.00", "24 jam" atau "tutup"'

# Minutes since midnight, [start, end); an end above 24 h lies on the next day.
Span = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class OpeningHours:
    """The spans of each weekday (Monday is 0), in the shop's own time zone."""

    zone: ZoneInfo
    days: tuple[tuple[Span, ...], ...]

    def is_open(self, at: datetime) -> bool:
        return any(start <= at < end for start, end in self._around(at))

    def next_opening(self, at: datetime) -> datetime | None:
        """The first opening after `at`, in the shop's zone; None when it is always or never open."""
        spans = self._around(at)
        openings = [start for start, _ in spans if start > at and not any(a < start <= b for a, b in spans)]
        return min(openings, default=None)

    def describe(self) -> str:
        """For example `Senin–Jumat 08.00–20.00, Sabtu 08.00–17.00, Minggu tutup (WIB)`."""
        groups: list[tuple[int, int]] = []
        for day, spans in enumerate(self.days):
            if groups and self.days[groups[-1][0]] == spans:
                groups[-1] = (groups[-1][0], day)
            else:
                groups.append((day, day))
        if groups == [(0, 6)]:
            return f"setiap hari {_spans_text(self.days[0])} ({zone_name(self.zone)})"
        parts = [f"{_days_text(first, last)} {_spans_text(self.days[first])}" for first, last in groups]
        return f"{', '.join(parts)} ({zone_name(self.zone)})"

    def _around(self, at: datetime) -> list[tuple[datetime, datetime]]:
        """The spans from yesterday, which may last until today, to the same weekday of next week."""
        today = at.astimezone(self.zone).date()
        found = []
        for offset in range(-1, 9):
            day = today + timedelta(days=offset)
            midnight = datetime.combine(day, time(), self.zone)
            for start, end in self.days[day.weekday()]:
                found.append((midnight + timedelta(minutes=start), midnight + timedelta(minutes=end)))
        return found


def describe_moment(moment: datetime, *, at: datetime, zone: ZoneInfo) -> str:
    """A moment of the next days as one says it: `nanti 08.00 WIB`, `besok 08.00 WIB`, `Senin 08.00 WIB`."""
    local = moment.astimezone(zone)
    days = (local.date() - at.astimezone(zone).date()).days
    weekday = DAYS[local.weekday()].capitalize()
    name = {0: "nanti", 1: "besok"}.get(days, weekday if days < 7 else f"{weekday} depan")
    return f"{name} {local:%H.%M} {zone_name(zone)}"


def zone_name(zone: ZoneInfo) -> str:
    return _ZONE_NAMES.get(zone.key, zone.key)


def parse_hours(written: object, *, zone: ZoneInfo) -> tuple[OpeningHours | None, list[str]]:
    """Opening hours from a text for every day or a table by day, and what is wrong with them.

    A single day wins over a range like `senin-jumat`, and a range over `setiap_hari`, in whatever order.
    """
    if isinstance(written, str):
        written = {"setiap_hari": written}
    if not isinstance(written, Mapping) or not written:
        return None, [f"jam_buka harus berisi hari dan jam, satu baris per hari, {_EXAMPLE}."]
    problems: list[str] = []
    chosen: dict[int, tuple[int, tuple[Span, ...]]] = {}
    for key, value in written.items():
        days, spans = _days(str(key)), _spans(value)
        if not days:
            problems.append(
                f"jam_buka.{key}: bukan nama hari; tulis senin, selasa, senin-jumat atau setiap_hari."
            )
        elif spans is None:
            problems.append(f"jam_buka.{key}: jam {value!r} tidak terbaca; tulis {_EXAMPLE}.")
        else:
            # The fewer days a line is about, the more it counts.
            for day in days:
                if day not in chosen or len(days) < chosen[day][0]:
                    chosen[day] = (len(days), spans)
    if problems:
        return None, problems
    # A day that is not named is a day off.
    return OpeningHours(zone=zone, days=tuple(chosen.get(day, (0, ()))[1] for day in range(7))), []


def _days(key: str) -> tuple[int, ...]:
    key = key.strip().lower()
    if key in _EVERY_DAY:
        return tuple(range(7))
    ends = [_SPELLINGS.get(end.strip(), end.strip()) for end in re.split(r"[-–_]|sampai", key)]
    if len(ends) > 2 or any(end not in DAYS for end in ends):
        return ()
    first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
    # "sabtu-senin" goes round the end of the week.
    return tuple((first + step) % 7 for step in range((last - first) % 7 + 1))


def _spans(value: object) -> tuple[Span, ...] | None:
    """The spans of a day; None when they can't be read."""
    if isinstance(value, list):
        value = ", ".join(map(str, value))
    if not isinstance(value, str):
        return None
    value = value.strip().lower()
    if value in {"tutup", "libur"}:
        return ()
    if value in {"24 jam", "buka 24 jam"}:
        return ((0, _FULL_DAY_MIN),)
    spans = [_span(part.strip()) for part in re.split(r",|;|&|\bdan\b", value)]
    known = sorted(span for span in spans if span)
    overlap = any(later[0] < earlier[1] for earlier, later in pairwise(known))
    return None if len(known) < len(spans) or overlap else tuple(known)


def _span(written: str) -> Span | None:
    match = _SPAN.fullmatch(written)
    if not match:
        return None
    hours_start, min_start, hours_end, min_end = (int(part or 0) for part in match.groups())
    start, end = hours_start * 60 + min_start, hours_end * 60 + min_end
    if min_start > 59 or min_end > 59 or start >= _FULL_DAY_MIN or end > _FULL_DAY_MIN or start == end:
        return None
    # "18.00-02.00" ends on the next day.
    return (start, end) if end > start else (start, end + _FULL_DAY_MIN)


def _days_text(first: int, last: int) -> str:
    names = [DAYS[day].capitalize() for day in sorted({first, last})]
    return "–".join(names)


def _spans_text(spans: tuple[Span, ...]) -> str:
    if not spans:
        return "tutup"
    if spans == ((0, _FULL_DAY_MIN),):
        return "24 jam"
    return " dan ".join(f"{_clock(start)}–{_clock(end)}" for start, end in spans)


def _clock(minutes: int) -> str:
    # "24.00" is how a closing at midnight is written; later ones are of the next day.
    hours = minutes // 60 if minutes <= _FULL_DAY_MIN else minutes // 60 - 24
    return f"{hours:02d}.{minutes % 60:02d}"
