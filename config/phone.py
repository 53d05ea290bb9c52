"""Indonesian mobile numbers as people write them."""

from __future__ import annotations

import re

# What people put between the groups of a number: at most three of them in a row.
GAP = r"[\s().\-\u2010-\u2015]{0,3}"

# A number starts at no digit, or right after a percent escape ("%200812..." in an address).
# "0.8123456789", "0.0812345678" and "62.8123456789" are decimal fractions, "Rp62.812.345.678" is money.
MOBILE = (
    r"(?:(?<![0-9])|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))"
    r"(?<!(?<![0-9])0\.)"
    r"(?!(?:0|62)\.(?:[0-9]{4,}(?![.-]?[0-9])|[0-9]+(?!" + GAP + r"[0-9])))"
    r"(?:(?:\+|00|(?<!Rp)(?<!Rp\s)(?<!IDR)(?<!IDR\s))62" + GAP + r"0?|0)"
    + GAP
    + r"8(?:" + GAP + r"[0-9]){7,11}(?![0-9])"
)  # fmt: skip

_MOBILE = re.compile(MOBILE)
_NOT_DIGITS = re.compile(r"[^0-9]")


def normalise_phone(written: str) -> str | None:
    """The number in WhatsApp's own form, `62812...`; None for what is no Indonesian mobile number.

    Takes 08..., 62..., +62..., 0062... and "+62 (0)8..." with spaces, dashes, dots, brackets in between.
    """
    written = written.strip().lstrip("(")
    return international(written) if _MOBILE.fullmatch(written) else None


def international(matched: str) -> str:
    """`62812...` of a text that MOBILE matches."""
    digits = _NOT_DIGITS.sub("", matched).lstrip("0")
    # Only a number with the country's code can begin with 62 here; all others begin with 8.
    return "62" + digits.removeprefix("62").lstrip("0")
