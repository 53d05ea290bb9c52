"""The shop's own phone: it links the bot's device, and its owner may write to customers, too."""

from __future__ import annotations

import time

from sandbox.whatsapp import contents
from sandbox.whatsapp.binary import Attribute, Node
from sandbox.whatsapp.companion import Companion
from sandbox.whatsapp.contents import Message, Received
from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.jid import Jid
from sandbox.whatsapp.phone import Phone, new_id, sent_now
from sandbox.whatsapp.protos import E2E


class Owner(Phone):
    """The phone of the account; the bot is a device linked to it."""

    @property
    def jid(self) -> Jid:
        return self.user.jid

    async def scan(self, qr_text: str) -> Companion:
        """Link the device that shows this QR code; done once it signed. Raises PairingRefused."""
        return await self.network.pairing.scan(qr_text, self.identity.pair)

    async def enter_code(self, code: str) -> Companion:
        """Link the device that shows this code of eight characters. Raises PairingRefused."""
        return await self.network.pairing.enter_code(code, self.user.jid.user, self.identity.pair)

    async def logout_companion(self) -> None:
        """Remove every linked device."""
        for companion in list(self.network.companions.values()):
            self._sessions.pop(companion.jid.device, None)
            self.network.unlink(companion)

    async def send(self, customer: Customer, content: str | Message) -> str:
        """Write to a customer from the phone itself; the linked devices get a copy. The message's id."""
        message = contents.text(content) if isinstance(content, str) else content
        message_id = new_id()
        chat = customer.jid
        copy = E2E.Message()
        copy.deviceSentMessage.destinationJID = str(chat)
        copy.deviceSentMessage.message.CopyFrom(message)
        attributes: dict[str, Attribute] = {
            "from": self.user.address_beside(chat),
            "recipient": chat,
            "notify": self.user.name,
        }
        if chat.server == customer.user.lid.server:
            attributes["addressing_mode"] = "lid"
            attributes["peer_recipient_pn"] = customer.user.jid
        self.transmit(message_id, sent_now(copy, attributes))
        kind, words, about = contents.description(message)
        own = self.user.address_beside(chat)
        customer.keep(
            Received(
                id=message_id,
                kind=kind,
                text=words,
                message=message,
                sender=own,
                chat=own,
                sent_ms=time.time_ns() // 1_000_000,
                about=about,
            )
        )
        return message_id

    def understood(self, companion: Companion, stanza: Node, message: Message, sent_ms: int) -> None:
        """The bot's own messages come as copies; what is between the devices alone is not shown."""
        copy = message.deviceSentMessage
        if not copy.HasField("message"):
            return
        kind, words, about = contents.description(copy.message)
        self.keep(
            Received(
                id=stanza.text("id"),
                kind=kind,
                text=words,
                message=copy.message,
                sender=companion.address_beside(Jid.parse(copy.destinationJID)),
                chat=Jid.parse(copy.destinationJID),
                sent_ms=sent_ms,
                about=about,
            )
        )
