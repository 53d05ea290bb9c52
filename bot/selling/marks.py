"""What a reply was, kept with its turn: the next message is understood by it. Pure.

"1" is a choice only right after a menu, and "ya" a yes only to what was said last.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from billing.menu import Pick
from billing.spoken import spoken
from store.turns import Author, Turn

_PREFIX = "jual:"
_ENTRY = f"{_PREFIX}="
# How passages of the price list are called (rag.sources.catalogue).
_ROW = "katalog:"
# A menu's numbers are forgotten after this long, as people forget it.
MENU_MS = 10 * 60 * 1000


class Mark(StrEnum):
    """The kinds of replies that what comes next depends on."""

    MENU = "jual:menu"  # numbered entries
    READ_BACK = "jual:tawar"  # lines and a total, and the question whether that is right
    QUANTITY = "jual:jumlah"  # how many of it, then?
    DETAIL = "jual:tanya"  # one of the questions of `perlu`
    METHOD = "jual:metode"  # how do you want to pay?
    GO_ON = "jual:lanjut"  # the total with an admin's shipping, and whether to go on
    STEP = "jual:langkah"  # the sale went on by it, so that the chat does not go round in circles


def is_mark(source_id: str) -> bool:
    """Whether one of a turn's source ids is a mark, and nothing that the reply rests on."""
    return source_id.startswith(_PREFIX)


def of_menu(entries: Sequence[str]) -> tuple[str, ...]:
    """The marks of a menu with these entries."""
    return (Mark.MENU, *(f"{_ENTRY}{entry}" for entry in entries))


def of_read_back(picks: Sequence[Pick]) -> tuple[str, ...]:
    """The marks of a read-back: what was read, so that it can be read again when its time is over."""
    return (Mark.READ_BACK, Mark.STEP, *(f"{_ENTRY}{pick.code}*{pick.quantity}" for pick in picks))


def of_quantity(code: str) -> tuple[str, ...]:
    """The marks of the question how many of this item it shall be."""
    return (Mark.QUANTITY, f"{_ENTRY}{code}*1")


def of_detail(label: str) -> tuple[str, ...]:
    """The marks of the question for this detail."""
    return (Mark.DETAIL, Mark.STEP, f"{_ENTRY}{_word(label)}")


def is_(turn: Turn | None, mark: Mark) -> bool:
    """Whether the reply was such a one, and the bot itself gave it."""
    return turn is not None and bool(turn.replied) and turn.author is Author.BOT and mark in turn.source_ids


def agreeable(turn: Turn) -> bool:
    """Whether a bare yes to the reply means something."""
    return is_(turn, Mark.READ_BACK) or is_(turn, Mark.GO_ON)


def entries_of(turn: Turn) -> tuple[str, ...]:
    """What the numbers of a menu stood for."""
    return tuple(mark.removeprefix(_ENTRY) for mark in turn.source_ids if mark.startswith(_ENTRY))


def picks_of(turn: Turn) -> list[Pick]:
    """What was read back."""
    found = []
    for entry in entries_of(turn):
        code, _, quantity = entry.rpartition("*")
        if code and quantity.isdigit():
            found.append(Pick(code=code, quantity=int(quantity)))
    return found


def priced_by(turn: Turn) -> list[str]:
    """The codes of the price list's rows that the model's answer rests on; none for any other reply."""
    if turn.author is not Author.BOT or not turn.replied:
        return []
    return [mark.removeprefix(_ROW) for mark in turn.source_ids if mark.startswith(_ROW)]


def asked_for(turn: Turn, label: str) -> bool:
    """Whether the reply asked for this detail."""
    return _word(label) in entries_of(turn)


def _word(label: str) -> str:
    return "-".join(spoken(label))
