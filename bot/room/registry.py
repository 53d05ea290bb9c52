"""Everything that the room knows: the one list of its modules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.room.albums import Albums
from bot.room.answers import Answers
from bot.room.catalogue import Catalogue
from bot.room.chats import Chats
from bot.room.command import Command, Quote
from bot.room.drafts import Drafts
from bot.room.edits import Edits
from bot.room.files import Files
from bot.room.gaps import Gaps, Summary
from bot.room.history import History
from bot.room.offers import Offers
from bot.room.orders import Orders
from bot.room.parts import RoomParts
from bot.room.past_questions import PastQuestions
from bot.room.rest import RestCommand
from bot.room.room import OwnersRoom
from bot.room.status import Status
from bot.room.switch import Switch
from bot.room.transfers import Transfers
from bot.room.trial import Trial
from bot.room.trusting import Trusting
from bot.room.waiting import Waiting


class Commands(Protocol):
    """A noun that admins have words for."""

    @property
    def commands(self) -> Sequence[Command]: ...


class Quotes(Protocol):
    """A noun whose notices admins quote."""

    @property
    def quotes(self) -> Sequence[Quote]: ...


def owners_room(parts: RoomParts) -> OwnersRoom:
    """The room with all of its commands, in the order in which its list shows them."""
    albums = Albums()
    edits, orders, past = Edits(parts), Orders(parts, albums), PastQuestions(parts)
    transfers = Transfers(parts)
    nouns: list[Commands] = [
        *(Status(parts), Waiting(parts), orders, transfers),
        *(Gaps(parts), Summary(parts, parts.digest), History(parts)),
        *(Catalogue(parts), edits, past),
        *(Switch(parts), RestCommand(parts), Chats(parts), Files(parts), Trial(parts)),
    ]
    quoted: list[Quotes] = [
        *(Answers(parts, albums), Offers(parts), Drafts(parts), edits, orders, past, Trusting(parts)),
        transfers,
    ]
    return OwnersRoom(
        parts,
        albums=albums,
        commands=[command for noun in nouns for command in noun.commands],
        quotes=[quote for noun in quoted for quote in noun.quotes],
        behind=transfers.behind,
    )
