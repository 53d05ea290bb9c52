"""The owner's words about one chat: *abaikan 0812…*, *lanjut 0812…*; and *lanjut* for what was held up."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from bot.delivery import RESTRICTED
from bot.people import People
from config.settings import Mode
from store import alerts, customers, directory, outbox
from store.directory import Entry
from store.queue import Queue

IGNORE, GO_ON = "abaikan", "lanjut"
# More than these are no help in a chat.
MOST_LISTED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class ChatWords:
    """Acts on them in the caller's transaction."""

    people: People
    queue: Queue  # the outbox of the account

    def act(self, connection: Connection, text: str) -> str | None:
        """What came of it, for the owner; None when the text is none of these words."""
        word, _, meant = text.strip().rstrip(".!").partition(" ")
        word, meant = word.lower(), meant.strip()
        if word == GO_ON and not meant:
            return self._release_all(connection)
        # A sentence that begins like one ("lanjut besok ya") names nobody.
        if word not in (IGNORE, GO_ON) or len(meant.split()) > 5:
            return None
        say = self.people.wording.say
        found = directory.search(connection, self.people.room.account, meant, limit=MOST_LISTED)
        if not found:
            return say("admin_tidak_ketemu", cari=meant)
        if len(found) > 1:
            listed = "\n".join(self._line(connection, entry) for entry in found)
            return say("admin_pilih", daftar=listed, contoh=f"{word} #{found[0].id}")
        name, number = self.people.label(connection, found[0].id, found[0].name)
        if word == IGNORE:
            customers.set_mode(connection, found[0].id, Mode.OFF.value)
            return say("admin_abaikan", nama=name, nomor=number)
        customers.speak_again(connection, found[0].id)
        for chat in outbox.parked_chats(connection, self.queue, customer_id=found[0].id):
            self._release(connection, chat)
        return say("admin_lanjut", nama=name, nomor=number)

    def _release_all(self, connection: Connection) -> str:
        released = self._release(connection, None)
        if not released:
            return self.people.wording.say("admin_tidak_tertahan")
        return self.people.wording.say("admin_dilepas", jumlah=released)

    def _release(self, connection: Connection, chat: str | None) -> int:
        released = outbox.release_parked(connection, self.queue, chat=chat)
        if released:
            # Refused again, it is told again.
            alerts.recover(connection, f"{RESTRICTED}:{self.queue.account}")
        return released

    def _line(self, connection: Connection, entry: Entry) -> str:
        name, number = self.people.label(connection, entry.id, entry.name)
        return f"• #{entry.id} {name} ({number})"
