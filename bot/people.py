"""Bringing in a person: the promise to the customer, the handoff and the owner's notice, always together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection

from config.phone import normalise_phone
from config.redaction import mask_phone
from config.shop import Shop
from config.wording import Wording
from store import customers, handoffs
from store.customers import Customer
from store.handoffs import Handoff, Reason
from store.outbox import NewMessage, Purpose

# The owner reads notices on a phone; a novel is cut, the whole of it is in the chat.
MAX_QUOTED_CHARS = 300


# The last of them says so.
MOST_REMINDERS = 5
_NEVER_MS = 10 * 365 * 24 * 60 * 60 * 1000
# WAITING and LATE are missing on purpose: nobody was told anything.
_PROMISES = {
    Reason.UNKNOWN: "belum_tahu",
    Reason.ASKED: "minta_admin",
    Reason.TROUBLE: "gangguan",
    Reason.MEDIA: "suara",
}
_NOTICES = {
    Reason.ASKED: "admin_minta_orang",
    Reason.MEDIA: "admin_kiriman",
    Reason.WAITING: "admin_menunggu",
    Reason.LATE: "admin_terlambat",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class RoomAddress:
    """Where the owner is reached. ``chat`` None means nowhere: handoffs are then only listed by a command."""

    account: str
    transport: str
    chat: str | None


class People:
    """Writes promises of a person, with everything that makes them true, in the caller's transaction."""

    def __init__(self, *, room: RoomAddress, shop: Shop, wording: Wording, remind_after_s: float) -> None:
        self.room = room
        self._shop = shop
        self.wording = wording
        self._remind_after_ms = int(remind_after_s * 1000)

    def promise(self, reason: Reason, *, at: datetime | None = None) -> str:
        """The fixed text for the customer; outside opening hours it says when a person is back."""
        name = _PROMISES[reason]
        now = at or datetime.now(UTC)
        if self._shop.is_open(now):
            return self.wording.say(name)
        return self.wording.say(f"{name}_tutup", buka=self._shop.describe_next_opening(now))

    def hand_over(
        self, connection: Connection, *, customer: Customer, chat: str, question: str, reason: Reason
    ) -> int:
        """Write the handoff and the owner's notice; the handoff's id.

        The same question that still waits is not handed over twice.
        """
        waiting = handoffs.find_open(
            connection, self.room.account, customer_id=customer.id, question=question
        )
        if waiting is not None:
            return waiting
        handoff_id = handoffs.open_handoff(
            connection,
            account=self.room.account,
            customer_id=customer.id,
            chat=chat,
            question=question,
            reason=reason,
            # Somebody of the shop is in that chat himself; he is told once.
            remind_after_ms=_NEVER_MS if reason is Reason.WAITING else self._remind_after_ms,
        )
        sentence = _NOTICES.get(reason, "admin_butuh_jawaban")
        body = self.wording.say(sentence, **self._about(connection, customer.id, customer.name, question))
        self.notify(
            connection, body, kind=handoffs.HANDOFF_NOTICE, customer_id=customer.id, handoff_id=handoff_id
        )
        return handoff_id

    def remind(self, connection: Connection, handoff: Handoff) -> None:
        """Tell the owner that a customer still waits, and when to tell him again."""
        is_last = handoff.reminders + 1 >= MOST_REMINDERS
        body = self.wording.say(
            "admin_pengingat_terakhir" if is_last else "admin_pengingat",
            menit=handoff.age_ms // 60_000,
            **self._about(connection, handoff.customer_id, handoff.customer_name, handoff.question),
        )
        # Each time twice as long as before, and not for ever: what nobody answers then is in the list.
        pause_ms = _NEVER_MS if is_last else self._remind_after_ms * 2**handoff.reminders
        handoffs.reminded(connection, handoff.id, next_after_ms=pause_ms)
        self.notify(
            connection,
            body,
            kind=handoffs.HANDOFF_NOTICE,
            customer_id=handoff.customer_id,
            handoff_id=handoff.id,
            purpose=Purpose.REMINDER,
        )

    def notify(
        self,
        connection: Connection,
        body: str,
        *,
        kind: str,
        customer_id: int | None = None,
        handoff_id: int | None = None,
        turn_id: int | None = None,
        draft_id: int | None = None,
        purpose: Purpose = Purpose.NOTICE,
    ) -> int | None:
        """A message to the owner's room that he can act on by quoting it; its outbox row's id.

        None, and nothing is written, when there is no room.
        """
        if self.room.chat is None:
            return None
        message = NewMessage(
            account=self.room.account,
            transport=self.room.transport,
            chat=self.room.chat,
            body=body,
            purpose=purpose,
            # So that deleting the customer deletes what the owner was told about him.
            customer_id=customer_id,
        )
        return handoffs.add_notice(
            connection,
            message,
            kind=kind,
            customer_id=customer_id,
            handoff_id=handoff_id,
            turn_id=turn_id,
            draft_id=draft_id,
        )

    def label(self, connection: Connection, customer_id: int, name: str | None) -> tuple[str, str]:
        """The customer's name and masked number, as the owner sees them."""
        number = self._number(connection, customer_id)
        masked = mask_phone(number) if number else f"pelanggan {customer_id}"
        return name or masked, masked

    def link(self, connection: Connection, customer_id: int) -> str:
        """The address of the customer's chat, to be tapped; empty when his number is not known."""
        number = self._number(connection, customer_id)
        return f"wa.me/{number}" if number else ""

    def _about(
        self, connection: Connection, customer_id: int, name: str | None, question: str
    ) -> dict[str, str]:
        shown, masked = self.label(connection, customer_id, name)
        return {
            "nama": shown,
            "nomor": masked,
            "pertanyaan": question
            if len(question) <= MAX_QUOTED_CHARS
            else question[:MAX_QUOTED_CHARS] + "…",
            "tautan": self.link(connection, customer_id),
        }

    @staticmethod
    def _number(connection: Connection, customer_id: int) -> str | None:
        for address in customers.addresses_of(connection, customer_id):
            if (number := normalise_phone(address.user)) is not None:
                return number
        return None
