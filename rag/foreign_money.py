"""Amounts of other money than rupiah in prose: "$10", "RM 20", "15 dollars". Pure.

No price list here is in such money, so that one in an answer is nearly always the model's own sum.
"""

from __future__ import annotations

import re
from decimal import Decimal

_NAMES = {
    "us$": "usd",
    "$": "usd",
    "dollar": "usd",
    "dollars": "usd",
    "dolar": "usd",
    "bucks": "usd",
    "s$": "sgd",
    "a$": "aud",
    "rm": "myr",
    "ringgit": "myr",
    "€": "eur",
    "euro": "eur",
    "euros": "eur",
    "£": "gbp",
    "¥": "jpy",
    "riyal": "sar",
    "baht": "thb",
    "yuan": "cny",
}
_CODES = r"(?:usd|sgd|myr|aud|eur|gbp|jpy|cny|sar|thb|hkd)"
_WORDS = r"(?:dollars?|dolar|bucks|ringgit|euros?|riyal|baht|yuan)"
_NUMBER = r"\d{1,3}(?:[.,]\d{3})+(?:\.\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_FOREIGN = re.compile(
    rf"(?:(?P<before>(?<![\w$])(?:us\$|[sa]\$|(?:{_CODES}|rm)(?=\.?\s?\d))|[$€£¥])\.?\s{{0,3}}"
    rf"(?P<first>{_NUMBER})"
    rf"|(?<![\w.,])(?P<last>{_NUMBER})\s?(?P<after>{_CODES}|{_WORDS}|us\$|[€£¥])(?!\w))",
    re.IGNORECASE,
)
_GROUP = re.compile(r"[.,](?=\d{3}(?!\d))")


def foreign_amounts_in(text: str) -> set[tuple[str, Decimal]]:
    """Every such amount with its currency, however either is written."""
    return {_read(match) for match in _FOREIGN.finditer(text)}


def _read(match: re.Match[str]) -> tuple[str, Decimal]:
    written = (match["before"] or match["after"]).lower()
    number = _GROUP.sub("", match["first"] or match["last"]).replace(",", ".")
    return _NAMES.get(written, written), Decimal(number)
