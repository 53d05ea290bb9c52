"""Who is on stage: the shop's phone, the customers' phones, and their chats as they come onto the screens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sandbox.phone.bubble import Author, Bubble, Thread, Tick
from sandbox.phone.live import Live
from sandbox.whatsapp import contents
from sandbox.whatsapp.contents import Message, Received
from sandbox.whatsapp.customer import Customer
from sandbox.whatsapp.server import WhatsAppServer

MOST_PEOPLE = 12
_NAMES = (
    "Budi",
    "Siti",
    "Agus",
    "Dewi",
    "Rizki",
    "Wulan",
    "Joko",
    "Ayu",
    "Hendra",
    "Lestari",
    "Bayu",
    "Sari",
)
_FIRST_NUMBER = 6281234560001
ADMIN_NUMBER = "6281290000002"
ADMIN_NAME = "Admin"
_EMOJI = frozenset("👍❤😂😮😢🙏")


class Mistaken(ValueError):
    """What the page asks for cannot be done; the text is for the person who asked."""


@dataclass(kw_only=True, eq=False)
class Person:
    """Somebody with a phone who chats with the shop."""

    number: str
    name: str
    is_admin: bool
    phone: Customer
    thread: Thread = field(default_factory=Thread)
    # How much of what reached the phone is in the thread.
    seen: int = 0
    typing: bool = False

    @property
    def shown(self) -> dict[str, Any]:
        return {"id": self.number, "name": self.name, "number": self.number, "admin": self.is_admin}


class Stage:
    """The people and what they do. Watches every phone, so it knows what is shown whoever caused it."""

    def __init__(self, server: WhatsAppServer, live: Live) -> None:
        self._server = server
        self._live = live
        self._seen_at_shop = 0
        self.people: dict[str, Person] = {}
        # The next message of a customer is delivered twice.
        self.is_doubling = False
        server.owner.watchers.append(lambda _: self._look_at_shop())

    async def enter(self, name: str = "", *, number: str = "", is_admin: bool = False) -> Person:
        """One more person with a phone. Raises Mistaken when there are too many."""
        customers = sum(not person.is_admin for person in self.people.values())
        if not is_admin and customers >= MOST_PEOPLE:
            raise Mistaken(f"Cukup {MOST_PEOPLE} pelanggan.")
        name = name or _NAMES[customers % len(_NAMES)]
        number = number or str(_FIRST_NUMBER + customers)
        phone = await self._server.customer(number, name=name)
        person = Person(number=number, name=name, is_admin=is_admin, phone=phone)
        self.people[number] = person
        phone.watchers.append(lambda _: self._look_at(person))
        self._live.tell("person", person=person.shown)
        return person

    def find(self, number: object) -> Person:
        """Whose chat this is. Raises Mistaken."""
        person = self.people.get(str(number))
        if person is None:
            raise Mistaken("Tidak ada chat dengan nomor ini.")
        return person

    # --- What people do -------------------------------------------------------------------------------------

    async def send(self, person: Person, text: str, *, by_shop: bool, quoting: str = "") -> None:
        """Write text into the chat, quoting one of its bubbles if it is named."""
        content: str | Message = text
        if quoting:
            content = contents.reply(text, to=self._bubble(person, quoting).received)
        await self._transmit(person, content, by_shop=by_shop)

    async def send_file(self, person: Person, kind: str, data: bytes, *, mime: str, name: str) -> None:
        """Send a customer's picture, voice note or document."""
        await person.phone.send_file(kind, data, mime=mime, name=name if kind == "document" else "")

    async def react(self, person: Person, message_id: str, emoji: str, *, by_shop: bool) -> None:
        """Put an emoji on a bubble of the other side, or take it away with an empty one."""
        bubble = self._bubble(person, message_id)
        if emoji.removesuffix("\N{VARIATION SELECTOR-16}") not in _EMOJI | {""}:
            raise Mistaken("Reaksi ini tidak ada.")
        if (bubble.author is Author.CUSTOMER) is not by_shop:
            raise Mistaken("Reaksi hanya untuk pesan orang lain.")
        await self._transmit(person, contents.reaction(emoji, to=bubble.received), by_shop=by_shop)

    async def edit(self, person: Person, message_id: str, text: str) -> None:
        """Replace the words of a customer's own message."""
        self._own(person, message_id)
        await self._transmit(person, contents.edit(message_id, text, chat=person.phone.jid), by_shop=False)

    async def revoke(self, person: Person, message_id: str) -> None:
        """Take a customer's own message back."""
        self._own(person, message_id)
        await self._transmit(person, contents.revocation(message_id, chat=person.phone.jid), by_shop=False)

    async def read(self, person: Person) -> None:
        """The customer looks at his chat: everything in it is read."""
        for bubble in person.thread.unread():
            bubble.advance(Tick.READ)
            self._show(person, bubble)
            if bubble.author is Author.BOT:
                await person.phone.read(bubble.received)

    async def _transmit(self, person: Person, content: str | Message, *, by_shop: bool) -> None:
        if by_shop:
            await self._server.owner.send(person.phone, content)
            return
        copies = 2 if self.is_doubling else 1
        self.is_doubling = False
        await person.phone.send(content, copies=copies)

    @staticmethod
    def _bubble(person: Person, message_id: str) -> Bubble:
        bubble = person.thread.bubbles.get(message_id)
        if bubble is None or bubble.is_deleted:
            raise Mistaken("Pesan ini tidak ada (lagi).")
        if bubble.author is Author.OTHER:
            raise Mistaken("Pesan ini dari nomor lain, bukan dari chat toko.")
        return bubble

    def _own(self, person: Person, message_id: str) -> None:
        if self._bubble(person, message_id).author is not Author.CUSTOMER:
            raise Mistaken("Hanya pesan sendiri yang bisa diubah atau dihapus.")

    # --- What comes onto the screens ------------------------------------------------------------------------

    def _look_at_shop(self) -> None:
        """New on the shop's phone: what customers wrote, and copies of what the bot wrote."""
        received = self._server.owner.received
        while self._seen_at_shop < len(received):
            message = received[self._seen_at_shop]
            self._seen_at_shop += 1
            user = self._server.network.directory.find(message.chat)
            person = None if user is None else self.people.get(user.jid.user)
            if person is None:
                continue  # Between the shop's own devices.
            by_customer = self._server.network.directory.find(message.sender) is user
            author = Author.CUSTOMER if by_customer else Author.BOT
            self._take(person, message, author, at_customer=by_customer, at_shop=True)

    def _look_at(self, person: Person) -> None:
        """New on a customer's phone: what the shop wrote, ticks, whether somebody types there."""
        received = person.phone.received
        while person.seen < len(received):
            message = received[person.seen]
            person.seen += 1
            author = self._author_of(message)
            self._take(person, message, author, at_customer=True, at_shop=author is Author.OWNER)
        for bubble in person.thread.tick(person.phone.receipts):
            self._show(person, bubble)
        if person.typing != person.phone.typing:
            person.typing = person.phone.typing
            self._live.tell("typing", chat=person.number, typing=person.typing)

    def _author_of(self, message: Received) -> Author:
        """Who wrote what came to a customer's phone."""
        network = self._server.network
        if network.directory.find(message.sender) is not network.account:
            return Author.OTHER
        return Author.BOT if message.sender.device > 0 else Author.OWNER

    def _take(
        self,
        person: Person,
        message: Received,
        author: Author,
        *,
        at_customer: bool,
        at_shop: bool,
    ) -> None:
        bubble = person.thread.take(message, author, at_customer=at_customer, at_shop=at_shop)
        if bubble is not None:
            self._show(person, bubble)

    def _show(self, person: Person, bubble: Bubble) -> None:
        told = person.thread.shown(bubble, chat=person.number)
        self._live.tell("bubble", chat=person.number, bubble=told)

    @property
    def shown(self) -> dict[str, Any]:
        """Everything, for a page that was just opened."""
        return {
            "people": [person.shown for person in self.people.values()],
            "chats": {
                number: [
                    person.thread.shown(bubble, chat=number) for bubble in person.thread.bubbles.values()
                ]
                for number, person in self.people.items()
            },
            "typing": [number for number, person in self.people.items() if person.typing],
            "emoji": sorted(_EMOJI),
        }
