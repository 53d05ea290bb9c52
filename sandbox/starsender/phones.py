"""Puts what Starsender takes onto the simulated phones of the WhatsApp stand-in."""

from __future__ import annotations

from sandbox.starsender.server import Deliver, Sent
from sandbox.whatsapp import contents
from sandbox.whatsapp.contents import Message, Received
from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.jid import PHONE, Jid
from sandbox.whatsapp.media import seal
from sandbox.whatsapp.phone import new_id
from sandbox.whatsapp.server import WhatsAppServer


def onto_phones(server: WhatsAppServer, *, number: str) -> Deliver:
    """What to hand to ``StarsenderServer`` so that its messages come from ``number``.

    When that is the shop's own number, it is as if somebody wrote from the shop's phone: the bot hears of it.
    """

    async def deliver(sent: Sent) -> None:
        user = server.network.directory.find(Jid(sent.to, PHONE))
        if user is None or not isinstance(user.phone, Customer):
            return  # Nobody of this demo has that number; the real service does not tell either.
        message = _message(server, sent)
        if number == server.network.account.jid.user:
            await server.owner.send(user.phone, message)
            return
        sender = Jid(number, PHONE)
        user.phone.keep(Received.now(new_id(), message, sender=sender, chat=sender))

    return deliver


def _message(server: WhatsAppServer, sent: Sent) -> Message:
    if not sent.file:
        return contents.text(sent.body)
    sealed = seal("document", sent.file)
    path = server.media.put(sealed)
    return contents.file("document", sealed, path, mime=sent.mime, caption=sent.body, name=sent.name)
