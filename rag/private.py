"""What belongs to one person and may stand in no entry that everybody is answered from. Pure."""

from __future__ import annotations

import re

# Telephone, account and order numbers have seven digits or more, however they are grouped; prices below a
# million, dates and sizes have fewer. An @ is in addresses of mail and names of accounts.
_PRIVATE = re.compile(r"\d(?:[ .-]*\d){6}|@")
# "08.00-17.00" is nobody's number.
_TIME = r"(?:[01]?\d|2[0-4])[.:][0-5]\d"
_HOURS = re.compile(rf"(?<![\d.-]){_TIME}\s*(?:-|–|s/d|sd|sampai)\s*{_TIME}(?![.\s-]*\d)")


def is_private(text: str) -> bool:
    """Whether a number or an address in it may be somebody's own."""
    return _PRIVATE.search(_HOURS.sub("", text)) is not None
