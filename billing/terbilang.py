"""Amounts in Indonesian words, as invoices write them below the total. Pure."""

from __future__ import annotations

_UNITS = ("", "satu", "dua", "tiga", "empat", "lima", "enam", "tujuh", "delapan", "sembilan")
_SCALES = ((10**12, "triliun"), (10**9, "miliar"), (10**6, "juta"))
MOST = 10**15 - 1


def terbilang(amount: int) -> str:
    """ "satu juta seribu" for 1,001,000; below zero with "minus". Raises ValueError beyond ``MOST``.

    Packages that do this say "satu ribu" after a million; people say "seribu" wherever it is one thousand.
    """
    if abs(amount) > MOST:
        raise ValueError(f"no invoice is over {amount}")
    if amount < 0:
        return f"minus {terbilang(-amount)}"
    return _words(amount) or "nol"


def _words(amount: int) -> str:
    parts = []
    for size, name in _SCALES:
        count, amount = divmod(amount, size)
        if count:
            parts.append(f"{_below_thousand(count)} {name}")
    thousands, rest = divmod(amount, 1000)
    if thousands == 1:
        parts.append("seribu")
    elif thousands:
        parts.append(f"{_below_thousand(thousands)} ribu")
    if rest:
        parts.append(_below_thousand(rest))
    return " ".join(parts)


def _below_thousand(amount: int) -> str:
    hundreds, rest = divmod(amount, 100)
    parts = []
    if hundreds:
        parts.append("seratus" if hundreds == 1 else f"{_UNITS[hundreds]} ratus")
    if rest:
        parts.append(_below_hundred(rest))
    return " ".join(parts)


def _below_hundred(amount: int) -> str:
    tens, units = divmod(amount, 10)
    if amount == 10:
        return "sepuluh"
    if amount == 11:
        return "sebelas"
    if tens == 0:
        return _UNITS[units]
    if tens == 1:
        return f"{_UNITS[units]} belas"
    return f"{_UNITS[tens]} puluh {_UNITS[units]}".strip()
