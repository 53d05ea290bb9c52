"""A string that does not show itself."""

from __future__ import annotations

import hmac
from typing import NoReturn

MASK = "***"


class Secret:
    """A key or password. Only `reveal()` gives the text; printing, formatting and pickling never do.

    No dataclass on purpose: `dataclasses.asdict` of the settings would take it apart and show the text.
    """

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def reveal(self) -> str:
        """The text itself. Call it where it leaves for the service it belongs to, and nowhere else."""
        return self._text

    def __repr__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        # Constant time: a comparison with what a stranger sent must not tell how much of it was right.
        return hmac.compare_digest(self._bytes(), other._bytes())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> Secret:
        # What does not change is its own copy; the default way of copying would go through pickling.
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: it would be written out in clear")

    def _bytes(self) -> bytes:
        return self._text.encode("utf-8", "surrogatepass")
