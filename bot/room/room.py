"""The room itself: a message in, the quote or the command found that it is, its effect committed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection, bindparam, update

from bot.channel import IncomingMessage, Media, Sign
from bot.message import Said, clean
from bot.room.albums import Albums
from bot.room.command import (
    BARE_ANSWER_MS,
    Act,
    Behind,
    Command,
    Prepare,
    Quote,
    Request,
    bare_emoji,
    find,
    spoken,
)
from bot.room.fetching import PASSED_ON
from bot.room.parts import RoomParts
from store import handoffs
from store import queue as queues
from store.handoffs import Notice
from store.schema import inbox

MOST_COMMAND_WORDS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Found:
    """Something that the message may mean, the request with what it needs."""

    act: Act
    prepare: Prepare | None
    request: Request


class OwnersRoom:
    """Handles what admins write. Every command commits its effect and its outcome in one transaction."""

    def __init__(
        self,
        parts: RoomParts,
        *,
        albums: Albums,
        commands: Sequence[Command],
        quotes: Sequence[Quote],
        behind: Sequence[Behind] = (),
    ) -> None:
        self._p = parts
        self._albums = albums
        self.commands = tuple(commands)
        self._quotes = {quote.kind: quote for quote in quotes}
        self._behind = tuple(behind)
        self._bare = frozenset[str]().union(*(quote.bare for quote in quotes))

    async def handle(self, said: Said) -> None:
        """Act on one message, then say what came of it."""
        # A reaction is no words of its own, but here it stands for some.
        text = clean(said.last.text) if said.last.kind == Sign.REACTION else said.text
        request = Request(row=said.rows[0], message=said.last, text=text)
        notice = await self._p.store.read(partial(self._notice, request=request))
        for meant in self._meanings(replace(request, notice=notice)):
            asked = meant.request
            if meant.prepare is not None:
                asked = replace(asked, prepared=await meant.prepare(asked))
            # One after the other: what one meaning prepares must not happen when another one holds.
            if await self._p.store.write(partial(self._act, meant.act, asked)):
                return
        await self._p.store.write(lambda c: self._finish(c, request.row.id, notice))

    async def claim(self, said: Said) -> None:
        """Somebody typed the code in a group: it is the room from now on."""
        chat = said.last.chat

        def write(connection: Connection) -> None:
            queues.finish(connection, self._p.queue, [said.rows[0].id], owner=self._p.owner)
            self._p.claim_room(connection, chat)
            self._p.say(connection, self._p.wording.say("admin_ruang_jadi"))

        await self._p.store.write(write)

    def _notice(self, connection: Connection, *, request: Request) -> Notice | None:
        """What the message is about: the quoted notice, for a bare yes or no the newest offer, and for the
        next picture of an album what the one before it was about.
        """
        if request.message.quoted_id is not None:
            return handoffs.quoted_notice(connection, self._p.account, request.message.quoted_id)
        if (notice := self._albums.notice_of(request)) is not None:
            return notice
        if not request.means(self._bare):
            return None
        newest = handoffs.newest_notice(connection, self._p.account, within_ms=BARE_ANSWER_MS)
        quote = None if newest is None else self._quotes.get(_kind(newest))
        return newest if quote is not None and request.means(quote.bare) else None

    def _meanings(self, request: Request) -> list[_Found]:
        """What the message may mean, the likeliest first."""
        quote = None if request.notice is None else self._quotes.get(_kind(request.notice))
        if request.message.kind == Sign.REACTION:
            word = None if quote is None else quote.reactions.get(bare_emoji(request.text))
            if quote is None or word is None:
                return []
            return [_Found(act=quote.act, prepare=quote.prepare, request=replace(request, text=word))]
        if request.message.kind == Sign.ALBUM:
            # Where pictures mean something they follow; elsewhere this is the moment to say that they don't.
            if quote is None:
                return []
            act = self._album if quote.takes_files else self._only_words
            return [_Found(act=act, prepare=None, request=request)]
        if quote is not None and not _is_taken(quote, request.message):
            return [_Found(act=self._only_words, prepare=None, request=request)]
        if not request.text and request.message.file is None:
            return []
        if request.message.file is not None and quote is None:
            # The words below a file are about it, and no command.
            request = replace(request, text="")
        # A quote that makes no sense of the text leaves it to the commands.
        quoted = [] if quote is None else [_Found(act=quote.act, prepare=quote.prepare, request=request)]
        return (
            self._meant_behind(request)
            + quoted
            + [
                _Found(act=command.act, prepare=command.prepare, request=replace(request, argument=argument))
                for command, argument in find(self.commands, request.text)
            ]
            + [_Found(act=self._unknown, prepare=None, request=request)]
        )

    def _meant_behind(self, request: Request) -> list[_Found]:
        """What the words mean behind any notice; below a file they are about the file."""
        if request.notice is None or request.message.quoted_id is None or request.message.file is not None:
            return []
        return [
            _Found(act=behind.act, prepare=None, request=request)
            for behind in self._behind
            if behind.fits(request)
        ]

    def _act(self, act: Act, request: Request, connection: Connection) -> bool:
        """Whether the message was meant so; then everything that follows from it is written."""
        outcome = act(connection, request)
        if outcome is None:
            return False
        notice = request.notice
        self._finish(connection, request.row.id, notice)
        if outcome:
            self._p.say(connection, outcome, customer_id=None if notice is None else notice.customer_id)
        return True

    def _finish(self, connection: Connection, row_id: int, notice: Notice | None) -> None:
        queues.finish(connection, self._p.queue, [row_id], owner=self._p.owner)
        if notice is not None and notice.customer_id is not None:
            # The owner's words about a customer go with him when he is deleted.
            connection.execute(_SET_CUSTOMER, {"row": row_id, "customer": notice.customer_id})

    def _album(self, connection: Connection, request: Request) -> str:
        self._albums.begins(request)
        return ""

    def _only_words(self, connection: Connection, request: Request) -> str:
        # Nobody may think that the customer has got it.
        return self._p.wording.say("admin_hanya_teks")

    def _unknown(self, connection: Connection, request: Request) -> str:
        if not request.text:
            return ""
        # People also talk to each other in the room; only what looks like a command gets the list of them.
        if len(spoken(request.text).split()) > MOST_COMMAND_WORDS:
            return ""
        return self.list_of_commands()

    def list_of_commands(self) -> str:
        """What can be typed here, a line each."""
        say = self._p.wording.say
        lines = [say(command.help_sentence) for command in self.commands if command.help_sentence]
        return say("admin_perintah", perintah="\n".join(lines))


_MORE_THAN_WORDS = frozenset(media.value for media in Media)


def _is_taken(quote: Quote, message: IncomingMessage) -> bool:
    """Whether what was written behind the notice can mean anything there."""
    if message.kind not in _MORE_THAN_WORDS:
        return True
    return quote.takes_files and message.kind in PASSED_ON and message.file is not None


def _kind(notice: Notice) -> str:
    """What quoting the notice acts on: an order, if it is about one and asks nothing about it."""
    if notice.order_id is None or notice.kind == handoffs.PAID_QUESTION:
        return notice.kind
    return handoffs.ORDER_NOTICE


_SET_CUSTOMER = update(inbox).where(inbox.c.id == bindparam("row")).values(customer_id=bindparam("customer"))
