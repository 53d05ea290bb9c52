"""The owner's room: quoting a notice acts on it; a few Indonesian words run the bot.

Everyone who can write there is an admin; who that is, is the channel's and the settings' affair.

**To add a command,** write a module with the noun that it is about. Its class takes ``RoomParts`` and has
``commands`` (words that admins type) or ``quotes`` (kinds of notices that they quote); ``registry`` lists the
class. A command names a sentence of ``config/kalimat.toml`` (``admin_bantuan_...``), which puts it on the
list that the room shows. ``act`` runs inside the transaction that finishes the admin's message and gives the
words that go back. What takes time or reaches outside the database (files, the model) belongs into
``prepare``, which runs before it and may run twice. An ``act`` that gives None has written nothing: the
message was not meant so, and the next command may have it.
"""

from bot.room.command import BARE_ANSWER_MS
from bot.room.parts import RoomParts
from bot.room.room import OwnersRoom

__all__ = ["BARE_ANSWER_MS", "OwnersRoom", "RoomParts"]
