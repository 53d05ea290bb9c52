"""Bringing in a person: the promise to the customer, the handoff and the owner's notice, always together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Unpack

from sqlalchemy import Connection

from config.phone import normalise_phone
from config.redaction import mask_phone
from config.shop import Shop
from config.spans import span_ms
from config.wording import Wording
from store import customers, handoffs, rooms
from store.customers import Customer
from store.handoffs import About, Handoff, Reason
from store.outbox import Purpose
from store.rooms import RoomAddress as RoomAddress

# The owner reads notices on a phone; a novel is cut, the whole of it is in the chat.
MAX_QUOTED_CHARS = 300


# The last of them says so.
MOST_REMINDERS = 5
_NEVER_MS = 10 * 365 * 24 * 60 * 60 * 1000
# WAITING and LATE are missing on purpose: nobody was told anything. ORDER has its own (bot.selling).
_PROMISES = {
    Reason.UNKNOWN: "belum_tahu",
    Reason.ASKED: "minta_admin",
    Reason.TROUBLE: "gangguan",
    Reason.MEDIA: "suara",
    Reason.BASKET: "keranjang",
}
_NOTICES = {
    Reason.ASKED: "admin_minta_orang",
    Reason.MEDIA: "admin_kiriman",
    Reason.BASKET: "admin_keranjang",
    Reason.WAITING: "admin_menunggu",
    Reason.LATE: "admin_terlambat",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """Something about an order that only a person can do: a handoff with a notice of its own.

    ``sentence`` is the notice's, ``question`` says it in the list of what is open: the same one is not opened
    twice.
    """

    sentence: str
    kind: str  # of the notice, which says what quoting it does
    question: str
    order_id: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


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
        case = Case(
            question=question,
            sentence=_NOTICES.get(reason, "admin_butuh_jawaban"),
            kind=handoffs.HANDOFF_NOTICE,
        )
        return self._open(connection, case, customer=customer, chat=chat, reason=reason)

    def hand_over_case(self, connection: Connection, *, customer: Customer, chat: str, case: Case) -> int:
        """Write down what an order needs a person for, with a notice to quote; the handoff's id."""
        return self._open(connection, case, customer=customer, chat=chat, reason=Reason.ORDER)

    def _open(
        self, connection: Connection, case: Case, *, customer: Customer, chat: str, reason: Reason
    ) -> int:
        waiting = handoffs.find_open(
            connection, self.room.account, customer_id=customer.id, question=case.question
        )
        if waiting is not None:
            return waiting
        handoff_id = handoffs.open_handoff(
            connection,
            account=self.room.account,
            customer_id=customer.id,
            chat=chat,
            question=case.question,
            reason=reason,
            # Somebody of the shop is in that chat himself; he is told once.
            remind_after_ms=_NEVER_MS if reason is Reason.WAITING else self._remind_after_ms,
        )
        about = self._about(connection, customer.id, customer.name, case.question)
        self.notify(
            connection,
            self.wording.say(case.sentence, **{**about, **case.values}),
            kind=case.kind,
            customer_id=customer.id,
            handoff_id=handoff_id,
            order_id=case.order_id,
        )
        return handoff_id

    def remind(self, connection: Connection, handoff: Handoff) -> None:
        """Tell the owner that a customer still waits, and when to tell him again."""
        is_last = handoff.reminders + 1 >= MOST_REMINDERS
        about_order = handoffs.order_of(connection, handoff.id)
        sentence = "admin_pengingat_terakhir" if is_last else "admin_pengingat"
        body = self.wording.say(
            sentence if about_order is None else "admin_pengingat_pesanan",
            lama=span_ms(handoff.age_ms),
            **self._about(connection, handoff.customer_id, handoff.customer_name, handoff.question),
        )
        # Each time twice as long as before, and not for ever: what nobody answers then is in the list.
        pause_ms = _NEVER_MS if is_last else self._remind_after_ms * 2**handoff.reminders
        handoffs.reminded(connection, handoff.id, next_after_ms=pause_ms)
        self.notify(
            connection,
            body,
            kind=handoffs.HANDOFF_NOTICE if about_order is None else about_order[1],
            customer_id=handoff.customer_id,
            handoff_id=handoff.id,
            order_id=None if about_order is None else about_order[0],
            purpose=Purpose.REMINDER,
        )

    def reworded(self, connection: Connection, handoff_id: int, question: str) -> None:
        """Tell the owner that the customer asks something else now; quoting either notice answers him."""
        handoffs.reword(connection, handoff_id, question=question)
        if (handoff := handoffs.get(connection, handoff_id)) is None:
            return
        about = self._about(connection, handoff.customer_id, handoff.customer_name, question)
        self.notify(
            connection,
            self.wording.say("admin_diubah", **about),
            kind=handoffs.HANDOFF_NOTICE,
            customer_id=handoff.customer_id,
            handoff_id=handoff_id,
        )

    def notify(
        self,
        connection: Connection,
        body: str,
        *,
        kind: str,
        purpose: Purpose = Purpose.NOTICE,
        **about: Unpack[About],
    ) -> int | None:
        """A message to the owner's room that he can act on by quoting it; its outbox row's id.

        None, and nothing is written, when there is no room.
        """
        return rooms.tell(connection, self.room, body, kind=kind, purpose=purpose, **about)

    def label(self, connection: Connection, customer_id: int, name: str | None) -> tuple[str, str]:
        """The customer's name and masked number, as the owner sees them."""
        number = self._number(connection, customer_id)
        masked = mask_phone(number) if number else f"pelanggan {customer_id}"
        return name or masked, masked

    def named(self, connection: Connection, customer_id: int, name: str | None) -> dict[str, str]:
        """The same for a sentence; a number that stands for the name is not said twice."""
        shown, masked = self.label(connection, customer_id, name)
        return {"nama": shown, "nomor": "" if masked == shown else masked}

    def link(self, connection: Connection, customer_id: int) -> str:
        """The address of the customer's chat, to be tapped; empty when his number is not known."""
        number = self._number(connection, customer_id)
        return f"wa.me/{number}" if number else ""

    def _about(
        self, connection: Connection, customer_id: int, name: str | None, question: str
    ) -> dict[str, str]:
        return {
            **self.named(connection, customer_id, name),
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
