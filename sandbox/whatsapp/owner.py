"""The shop's own phone: it links the bot's device, and its owner may write to customers, too."""

from __future__ import annotations

import time
from dataclasses import replace

from sandbox.whatsapp import contents
from sandbox.whatsapp.binary import Attribute, Node
from sandbox.whatsapp.companion import Companion
from sandbox.whatsapp.contents import Message, Received
from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.directory import User
from sandbox.whatsapp.history import Remembered, notification, sealed
from sandbox.whatsapp.jid import Jid
from sandbox.whatsapp.network import Network
from sandbox.whatsapp.phone import Phone, group_of, new_id, sent_now
from sandbox.whatsapp.protos import E2E
from sandbox.whatsapp.shared import CRITICAL, SharedKey, naming


class Owner(Phone):
    """The phone of the account; the bot is a device linked to it."""

    def __init__(self, network: Network, user: User) -> None:
        super().__init__(network, user)
        # What was said before a device is linked; each new one is told.
        self.remembered: list[Remembered] = []
        self._shared_key = SharedKey.generate()
        change = naming(user.name, self._shared_key, time.time_ns() // 1_000_000)
        network.shared.append(CRITICAL, change)

    @property
    def jid(self) -> Jid:
        return self.user.jid

    async def scan(self, qr_text: str) -> Companion:
        """Link the device that shows this QR code; done once it signed. Raises PairingRefused."""
        companion = await self.network.pairing.scan(qr_text, self.keyring.identity.pair)
        self._share_settings(companion)
        self._tell_history(companion)
        return companion

    async def enter_code(self, code: str) -> Companion:
        """Link the device that shows this code of eight characters. Raises PairingRefused."""
        companion = await self.network.pairing.enter_code(
            code, self.user.jid.user, self.keyring.identity.pair
        )
        self._share_settings(companion)
        self._tell_history(companion)
        return companion

    async def logout_companion(self) -> None:
        """Remove every linked device."""
        for companion in list(self.network.companions.values()):
            self.keyring.forget(companion.jid.device)
            self.network.unlink(companion)

    async def send(
        self, customer: Customer, content: str | Message, *, damaged: bool = False, sent_s: int | None = None
    ) -> str:
        """Write to a customer from the phone itself; the linked devices get a copy, ``damaged`` an
        undecryptable one, dated ``sent_s``. The message's id.
        """
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
        sent = sent_now(copy, attributes)
        if sent_s is not None:
            sent = replace(sent, attributes={**sent.attributes, "t": str(sent_s)})
        self.transmit(message_id, sent, damaged=damaged)
        own = self.user.address_beside(chat)
        customer.keep(Received.now(message_id, message, sender=own, chat=own))
        return message_id

    async def note(self, content: str | Message) -> str:
        """Write into the chat with oneself, as people keep notes; the message's id."""
        message = contents.text(content) if isinstance(content, str) else content
        message_id, chat = new_id(), self.user.jid
        copy = E2E.Message()
        copy.deviceSentMessage.destinationJID = str(chat)
        copy.deviceSentMessage.message.CopyFrom(message)
        self.transmit(message_id, sent_now(copy, {"from": chat, "recipient": chat, "notify": self.user.name}))
        return message_id

    def remember(self, customer: Customer, text: str, *, ago_s: float, by_shop: bool = False) -> None:
        """A message of the time before: neither side's device gets it any more, but the phone tells of it."""
        user = customer.user
        other = user.lid if customer.jid == user.jid else user.jid
        self.remembered.append(
            Remembered.of(new_id(), customer.jid, other, text, by_shop=by_shop, ago_s=ago_s)
        )

    def _tell_history(self, companion: Companion) -> None:
        """Once, right after the linking, as a file that the device fetches."""
        if not self.remembered:
            return
        file = sealed(self.remembered)
        message = notification(file, self.network.media.put(file))
        attributes: dict[str, Attribute] = {"from": self.user.jid, "category": "peer"}
        self.transmit(new_id(), sent_now(message, attributes), to=[companion])

    def _share_settings(self, companion: Companion) -> None:
        """Give a new device the key of the shared settings, as phones do first of all."""
        message = E2E.Message()
        protocol = message.protocolMessage
        protocol.type = E2E.ProtocolMessage.APP_STATE_SYNC_KEY_SHARE
        key = protocol.appStateSyncKeyShare.keys.add()
        key.keyID.keyID = self._shared_key.id
        key.keyData.keyData = self._shared_key.data
        key.keyData.timestamp = time.time_ns() // 1_000_000
        key.keyData.fingerprint.rawID = 1
        key.keyData.fingerprint.currentIndex = companion.jid.device
        attributes: dict[str, Attribute] = {"from": self.user.jid, "category": "peer"}
        self.transmit(new_id(), sent_now(message, attributes), to=[companion])

    def understood(self, companion: Companion, stanza: Node, message: Message, sent_ms: int) -> None:
        """The bot's own messages come as copies; what is between the devices alone is not shown."""
        group = group_of(stanza)
        copy = message.deviceSentMessage
        if group is not None:
            chat, shown = group, message
        elif copy.HasField("message"):
            chat, shown = Jid.parse(copy.destinationJID), copy.message
        else:
            return
        sender = companion.lid if group is not None else companion.address_beside(chat)
        self.keep(Received.now(stanza.text("id"), shown, sender=sender, chat=chat, sent_ms=sent_ms))
