"""The document of an invoice that an outbox row names: made when it is sent, from what was stored."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Connection

from billing.invoice import file_name
from billing.posting import BY_BOT
from billing.printing import CannotPrint, Printer
from store import invoices, worker
from store.attachments import Document
from store.doors import Store


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
