"""Everything that the room knows: the one list of its modules."""

from __future__ import annotations

from bot.room.answers import Answers
from bot.room.drafts import Drafts
from bot.room.offers import Offers
from bot.room.parts import RoomParts
from bot.room.room import OwnersRoom
from bot.room.status import Status
from bot.room.switch import Switch
from bot.room.waiting import Waiting


def owners_room(parts: RoomParts) -> OwnersRoom:
    """The room with all of its commands, in the order in which its list shows them."""
    nouns = (Status(parts), Waiting(parts), Switch(parts))
    quoted = (Answers(parts), Offers(parts), Drafts(parts))
    return OwnersRoom(
        parts,
        commands=[command for noun in nouns for command in noun.commands],
        quotes=[quote for noun in quoted for quote in noun.quotes],
    )
