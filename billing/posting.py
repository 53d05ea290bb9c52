"""How an invoice reaches its customer: which messages are queued, in the transaction that makes it true.

Starsender sends from a number of its own. It is used when the world can reach our invoices and the customer's
number is known; otherwise the bot's own session sends the document, and that is always so when the customer
does not know Starsender's number: an invoice from a stranger looks like fraud.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, or_, select, update

from billing.invoice import InvoiceBody
from billing.rupiah import format_rupiah
from config.billing import BillingSettings
from config.phone import normalise_phone
from config.wording import Wording
from store import linked, outbox
from store.invoices import Invoice
from store.orders import Order
from store.outbox import Kind, NewMessage, Purpose
from store.schema import QueueState, now_ms
from store.schema import outbox as outbox_table

STARSENDER = "starsender"
# Who brought an invoice, as ``invoices.delivered_by`` has it.
BY_STARSENDER, BY_BOT = "starsender", "bot"


@dataclass(frozen=True, kw_only=True, slots=True)
class InvoicePost:
    """Queues the messages with an invoice. ``shop_number`` is the bot's own, None if no setting says it."""

    wording: Wording
    settings: BillingSettings
    shop_number: str | None = None

    def post(self, connection: Connection, invoice: Invoice, order: Order, *, again: bool = False) -> bool:
        """Queue the invoice for the order's customer; False when he was deleted and nobody is there.

        ``again``: he asked for it once more, so it goes to this chat and nowhere else.
        """
        if order.chat is None:
            return False
        number = self._starsender_to(invoice)
        if number is None or again:
            self._by_bot(connection, invoice, order)
            return True
        body = InvoiceBody.from_json(invoice.body)
        is_our_number = self._is_our_number(connection, invoice.account)
        if not is_our_number:
            # He heard of the other number when he was told how to pay; here he knows us.
            self._by_bot(connection, invoice, order)
        if is_our_number:
            # In the chat where the bot has just thanked him.
            text = self.wording.say("invoice_menyusul", nomor=invoice.number)
        else:
            text = self.wording.say(
                "invoice_starsender",
                nama=body.customer_name or body.customer_number,
                total=format_rupiah(body.total_idr),
                nomor=invoice.number,
            )
        caption = self.wording.say("invoice_keterangan", nomor=invoice.number)
        for kind, words in ((Kind.TEXT, text), (Kind.DOCUMENT, caption)):
            self._add(connection, order, words, kind=kind, invoice=invoice, transport=STARSENDER, chat=number)
        return True

    def hand_over(
        self, connection: Connection, invoice: Invoice, order: Order, reason: str, *, doubtful: bool = False
    ) -> bool:
        """Starsender does not do it: what waits there is dropped, and the bot sends the document.

        ``doubtful``: it may have arrived, so the bot's is marked. False when nobody has to send anything: the
        bot does already, or the customer was deleted.
        """
        connection.execute(
            _DROP_WAITING,
            {
                "in_account": invoice.account,
                "in_number": invoice.number,
                "in_error": f"the bot sends it: {reason}",
            },
        )
        if order.chat is None or self._bot_has_it(connection, invoice):
            return False
        self._by_bot(connection, invoice, order, doubtful=doubtful)
        return True

    def repeated(self, body: str) -> str:
        """The words of a message that may have arrived before."""
        return self.wording.say("kirim_ulang", isi=body)

    def address(self, invoice: Invoice) -> str | None:
        """Where the world finds the document; None when it cannot reach us."""
        return (
            None
            if self.settings.public_url is None
            else f"{self.settings.public_url}/invoice/{invoice.token}"
        )

    def other_number(self, connection: Connection, account: str) -> str:
        """The number that customers hear of before an invoice comes from it, as they read it; or nothing."""
        theirs = self.settings.starsender_number
        if not self._is_used or theirs is None or self._is_our_number(connection, account):
            return ""
        return f"0{theirs[2:]}" if theirs.startswith("62") else f"+{theirs}"

    @property
    def _is_used(self) -> bool:
        """Whether Starsender can be used at all: it fetches the files from us."""
        return self.settings.starsender_key is not None and self.settings.public_url is not None

    def _is_our_number(self, connection: Connection, account: str) -> bool:
        """Whether Starsender's device is the shop's own number, as set or as the phone said when linked."""
        theirs = self.settings.starsender_number
        return theirs is not None and theirs == (self.shop_number or linked.number(connection, account))

    def _starsender_to(self, invoice: Invoice) -> str | None:
        """The number that Starsender writes to; None when it cannot be used for this customer."""
        if not self._is_used:
            return None
        customer = invoice.body.get("customer", {})
        return normalise_phone(str(customer.get("number", "")))

    def _by_bot(
        self, connection: Connection, invoice: Invoice, order: Order, *, doubtful: bool = False
    ) -> None:
        assert order.chat is not None
        caption = self.wording.say("invoice_keterangan", nomor=invoice.number)
        self._add(
            connection,
            order,
            self.repeated(caption) if doubtful else caption,
            kind=Kind.DOCUMENT,
            invoice=invoice,
            transport=order.transport,
            chat=order.chat,
        )

    @staticmethod
    def _add(
        connection: Connection,
        order: Order,
        words: str,
        *,
        kind: Kind,
        transport: str,
        chat: str,
        invoice: Invoice | None = None,
    ) -> None:
        outbox.add(
            connection,
            NewMessage(
                account=order.account,
                transport=transport,
                chat=chat,
                body=words,
                purpose=Purpose.RECEIPT,
                kind=kind,
                customer_id=order.customer_id,
                invoice=None if invoice is None else invoice.number,
            ),
        )

    @staticmethod
    def _bot_has_it(connection: Connection, invoice: Invoice) -> bool:
        values = {"in_account": invoice.account, "in_number": invoice.number}
        return connection.execute(_BOTS, values).first() is not None


_OF_INVOICE = (
    outbox_table.c.account == bindparam("in_account"),
    outbox_table.c.document == bindparam("in_number"),
)
_DROP_WAITING = (
    update(outbox_table)
    .where(
        *_OF_INVOICE,
        outbox_table.c.transport == STARSENDER,
        outbox_table.c.finished_ms.is_(None),
    )
    .values(state=QueueState.DROPPED.value, finished_ms=now_ms(), error=bindparam("in_error"))
)
# Sent or still to be sent; what the bot gave up counts for nothing.
_BOTS = (
    select(outbox_table.c.id)
    .where(
        *_OF_INVOICE,
        outbox_table.c.transport != STARSENDER,
        outbox_table.c.kind == Kind.DOCUMENT.value,
        outbox_table.c.state.not_in([QueueState.DEAD.value, QueueState.DROPPED.value]),
    )
    .limit(1)
)
_LEFT_BEHIND = (
    select(outbox_table.c.document)
    .where(
        outbox_table.c.account == bindparam("in_account"),
        outbox_table.c.transport == STARSENDER,
        outbox_table.c.finished_ms.is_(None),
        outbox_table.c.document.is_not(None),
        outbox_table.c.created_ms < now_ms() - bindparam("older_ms"),
    )
    .distinct()
)


def left_behind(connection: Connection, account: str, *, older_ms: int) -> Sequence[str]:
    """Numbers of invoices that Starsender's worker should have been done with so long ago."""
    values = {"in_account": account, "older_ms": older_ms}
    return [str(row[0]) for row in connection.execute(_LEFT_BEHIND, values).all()]


_LATELY = select(outbox_table.c.kind, outbox_table.c.body).where(
    outbox_table.c.account == bindparam("in_account"),
    outbox_table.c.customer_id == bindparam("in_customer"),
    outbox_table.c.transport == STARSENDER,
    # Tried at least once: it may be there before its row says so.
    outbox_table.c.attempts > 0,
    or_(
        outbox_table.c.finished_ms.is_(None),
        outbox_table.c.finished_ms > now_ms() - bindparam("within_ms"),
    ),
)


def lately(
    connection: Connection, account: str, customer_id: int, *, within_ms: int
) -> list[tuple[str, str]]:
    """Kind and words of what Starsender may have brought to the customer within the time."""
    values = {"in_account": account, "in_customer": customer_id, "within_ms": within_ms}
    return [(row[0], row[1]) for row in connection.execute(_LATELY, values).all()]
