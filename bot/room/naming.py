"""Which customer an admin means: by number, by name, or by ``#12``, his number in the list."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from bot.message import clean_name
from bot.room.parts import RoomParts
from store import directory

# More than these are no help in a chat.
MOST_LISTED = 5
# A sentence that begins like a command ("lanjut besok pagi ya kita bahas lagi") names nobody.
MOST_WORDS = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """The customer, as the owner sees him."""

    id: int
    shown: str
    number: str


def named(connection: Connection, parts: RoomParts, meant: str, *, command: str) -> Named | str | None:
    """The customer; a sentence when nobody or several fit; None when nobody was meant."""
    say = parts.wording.say
    if len(meant.split()) > MOST_WORDS:
        return None
    found = directory.search(connection, parts.account, meant, limit=MOST_LISTED)
    if not found:
        return say("admin_tidak_ketemu", cari=meant)
    shown = [(entry.id, *parts.people.label(connection, entry.id, clean_name(entry.name))) for entry in found]
    if len(found) > 1:
        listed = "\n".join(f"• #{number} {name} ({phone})" for number, name, phone in shown)
        return say("admin_pilih", daftar=listed, contoh=f"{command} #{found[0].id}")
    customer_id, name, phone = shown[0]
    return Named(id=customer_id, shown=name, number=phone)
