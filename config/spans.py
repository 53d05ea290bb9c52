"""How long something lasts or has waited, in the unit that people use."""

from __future__ import annotations

_MINUTE_S = 60
_HOUR_S = 60 * _MINUTE_S
_DAY_S = 24 * _HOUR_S


def span(seconds: float) -> str:
    """``40 detik``, ``12 menit``, ``3 jam``, ``5 hari``: whole units that have passed; never below zero."""
    if seconds < 1.5 * _MINUTE_S:
        return f"{max(0, int(seconds))} detik"
    if seconds < 1.5 * _HOUR_S:
        return f"{int(seconds // _MINUTE_S)} menit"
    if seconds < 2 * _DAY_S:
        return f"{int(seconds // _HOUR_S)} jam"
    return f"{int(seconds // _DAY_S)} hari"


def span_ms(milliseconds: int) -> str:
    """The same of a duration in milliseconds, as the database keeps them."""
    return span(milliseconds / 1000)
