"""A customer with a phone."""

from __future__ import annotations

import enum
import time
from dataclasses import replace

from sandbox.whatsapp import contents
from sandbox.whatsapp.binary import Attribute, Node
from sandbox.whatsapp.companion import Companion
from sandbox.whatsapp.contents import Message, Received
from sandbox.whatsapp.directory import User
from sandbox.whatsapp.jid import GROUP, Jid
from sandbox.whatsapp.media import seal
from sandbox.whatsapp.network import Network
from sandbox.whatsapp.phone import Phone, group_of, new_id, sent_now


class Addressing(enum.Enum):
    """Under which address the shop sees a customer."""

    LID = "lid"  # By LID, and the phone number beside it: the usual case since 2026.
    LID_ONLY = "lid-only"  # By LID alone, until the customer reveals the number.
    PHONE = "phone"  # By phone number alone, as older clients send.


class Customer(Phone):
    """Somebody who writes to the shop."""

    def __init__(self, network: Network, user: User, addressing: Addressing) -> None:
        super().__init__(network, user)
        self.addressing = addressing
        # Whether the shop shows as typing in this chat, and how often it began to.
        self.typing = False
        self.typed = 0

    @property
    def jid(self) -> Jid:
        """The address that the shop sees."""
        return self.user.jid if self.addressing is Addressing.PHONE else self.user.lid

    async def send(self, content: str | Message, *, copies: int = 1, damaged: bool = False) -> str:
        """Send words or any message to the shop; the message's id.

        ``copies`` delivers the very same stanza several times; ``damaged`` makes it undecryptable (asked for
        again, the phone sends it whole, unless ``answers_retries`` is off).
        """
        message = contents.text(content) if isinstance(content, str) else content
        message_id = new_id()
        self.transmit(message_id, sent_now(message, self._attributes()), copies=copies, damaged=damaged)
        account = self.network.account
        if account.phone is not None:
            seen = Received.now(message_id, message, sender=self.jid, chat=self.jid)
            account.phone.keep(seen)
        return message_id

    async def send_file(
        self,
        kind: str,
        data: bytes,
        *,
        mime: str,
        caption: str = "",
        name: str = "",
        wrapper: str = "",
        timer_s: int = 0,
        quoted: Received | None = None,
    ) -> str:
        """Send an image, video, audio, voice (a voice note), sticker or document; the message's id.

        ``wrapper`` is the field of the message that it comes wrapped in ("viewOnceMessage"); ``timer_s`` is
        the chat's timer for messages that disappear.
        """
        sealed = seal("audio" if kind == "voice" else kind, data)
        path = self.network.media.put(sealed)
        message = contents.file(kind, sealed, path, mime=mime, caption=caption, name=name, timer_s=timer_s)
        if quoted is not None:
            message = contents.about(message, quoted)
        return await self.send(contents.wrapped(message, wrapper) if wrapper else message)

    async def send_dated(self, message: Message, sent_s: int) -> str:
        """Send a message that the server took at another time, as one that it kept for long; its id."""
        message_id = new_id()
        sent = sent_now(message, self._attributes())
        self.transmit(message_id, replace(sent, attributes={**sent.attributes, "t": str(sent_s)}))
        return message_id

    async def send_again(self, message_id: str) -> None:
        """Encrypt and send an earlier message anew under its id, as phones do that doubt it arrived."""
        self.transmit(message_id, self._sent[message_id])

    def reveal_phone(self) -> None:
        """From now on messages carry the phone number beside the LID."""
        self.addressing = Addressing.LID

    async def read(self, received: Received) -> None:
        """Show the shop that the message was read."""
        attributes: dict[str, Attribute] = {"from": self.jid}
        if received.chat.server == GROUP:
            attributes = {"from": received.chat, "participant": self.user.lid}
        attributes |= {"id": received.id, "type": "read", "t": str(int(time.time()))}
        for companion in self.network.devices_of(self.network.account):
            companion.push(Node("receipt", dict(attributes)))

    async def type(self, *, typing: bool = True) -> None:
        """Show the shop that the customer types, or no longer does."""
        state = Node("composing" if typing else "paused")
        for companion in self.network.devices_of(self.network.account):
            companion.send_now(Node("chatstate", {"from": self.jid}, [state]))

    def understood(self, companion: Companion, stanza: Node, message: Message, sent_ms: int) -> None:
        receipt = self.receipt(stanza) | {"t": str(sent_ms // 1000)}
        companion.push(Node("receipt", receipt))
        sender = companion.address_beside(self.own_address(stanza))
        chat = group_of(stanza) or sender.account
        self.typing = False
        received = Received.now(stanza.text("id"), message, sender=sender, chat=chat, sent_ms=sent_ms)
        self.keep(received)

    def take_chatstate(self, node: Node) -> None:
        self.typing = node.child("composing") is not None
        self.typed += self.typing
        self.show()

    def _attributes(self) -> dict[str, Attribute]:
        attributes: dict[str, Attribute] = {"from": self.jid, "notify": self.user.name}
        if self.addressing is not Addressing.PHONE:
            attributes["addressing_mode"] = "lid"
        if self.addressing is Addressing.LID:
            attributes["sender_pn"] = self.user.jid
        return attributes
