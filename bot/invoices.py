"""The document of an invoice that an outbox row names: made when it is sent, from what was stored."""

from __future__ import annotations

from dataclasses import dataclass, field

import structlog
from sqlalchemy import Connection

from billing.invoice import file_name
from billing.posting import BY_BOT, InvoicePost, left_behind
from billing.printing import CannotPrint, Printer
from store import invoices, orders, worker
from store.attachments import Document
from store.doors import Store

log = structlog.get_logger(__name__)

# Beyond the payment process's own patience, so that the two do not both send.
_GRACE_MS = 120_000


@dataclass(kw_only=True)
class InvoiceFiles:
    """Invoices of one account as files."""

    account: str
    store: Store
    printer: Printer = field(default_factory=Printer)

    async def document(self, number: str) -> Document:
        """The PDF of this invoice. Raises what the outbox worker understands."""
        found = await self.store.read(lambda c: invoices.get(c, self.account, number))
        if found is None:
            raise worker.Discard(f"there is no invoice {number}")
        try:
            made = await self.printer.print(found.body)
        except CannotPrint as exc:
            raise worker.Retry(str(exc)) from exc
        return Document(data=made, filename=file_name(number), mimetype="application/pdf")

    def sent(self, connection: Connection, number: str) -> None:
        """The customer has it, in the transaction that marks the message."""
        invoices.delivered(connection, self.account, number, by=BY_BOT)


@dataclass(frozen=True, kw_only=True)
class StrandedInvoices:
    """What was queued for Starsender while no payment process runs to send it: then it is the bot's."""

    account: str
    store: Store
    post: InvoicePost

    async def take(self) -> None:
        """Queue the documents here that have waited there for too long."""
        if await self.store.read(self._left):
            await self.store.write(self._take)

    def _left(self, connection: Connection) -> list[str]:
        patience_ms = self.post.settings.starsender_patience_s * 1000
        return list(left_behind(connection, self.account, older_ms=patience_ms + _GRACE_MS))

    def _take(self, connection: Connection) -> None:
        for number in self._left(connection):
            invoice = invoices.get(connection, self.account, number)
            order = None if invoice is None else orders.get(connection, invoice.order_id)
            if invoice is not None and order is not None:
                reason = "the payment process has not sent it"
                # It may have, and died before it said so.
                self.post.hand_over(connection, invoice, order, reason, doubtful=True)
                log.warning("invoice_stranded", invoice=number)
