"""A string that does not show itself."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import NoReturn

MASK = "***"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class Secret:
    """A key or password. Only `reveal()` gives the text; printing, formatting and pickling never do."""

    _text: str

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
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        # dataclasses.asdict copies deeply; an immutable value is its own copy.
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret is not pickled: it would be written out in clear")

    def _bytes(self) -> bytes:
        return self._text.encode("utf-8", "surrogatepass")
