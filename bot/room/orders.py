"""Orders in the owner's room: *pesanan*, and *lunas*, *tolak* or *ongkir 18rb* behind an order's notice."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.relay import Enclosed
from bot.room.albums import Albums
from bot.room.command import Command, Quote, Request
from bot.room.fetching import FileRefused, enclosed
from bot.room.parts import RoomParts
from store import handoffs


class Orders:
    """What admins say about orders goes to the desk."""

    def __init__(self, parts: RoomParts, albums: Albums) -> None:
        self._p = parts
        self._albums = albums
        self.commands = (
            Command(
                words=("pesanan", "order", "orderan"), act=self.tell, help_sentence="admin_bantuan_pesanan"
            ),
        )
        # Every notice about an order is one of these here, whatever else it is about.
        self.quotes = (Quote(kind=handoffs.ORDER_NOTICE, act=self.act, prepare=self.fetch, takes_files=True),)

    def tell(self, connection: Connection, request: Request) -> str:
        return self._p.desk.listed(connection)

    async def fetch(self, request: Request) -> Enclosed | str | None:
        """The picture or the document for the order's customer; a sentence when it cannot be had."""
        try:
            return await enclosed(self._p, request)
        except FileRefused as exc:
            return self._p.wording.say("admin_berkas_belum_terkirim", sebab=str(exc))

    def act(self, connection: Connection, request: Request) -> str | None:
        file = request.prepared
        if isinstance(file, str):
            return file
        if request.notice is None:
            return None
        if self._p.desk.is_for_the_customer(request.text):
            if isinstance(file, Enclosed):
                self._albums.begins(request)
        else:
            # A picture of the bank's page with "lunas" is for the shop's own eyes, and so is what follows it.
            self._albums.end(request)
            if request.message.quoted_id is None:
                return None  # Money goes by a quoted notice, not by what an album is about.
        return self._p.desk.quoted(
            connection,
            request.notice,
            request.text,
            admin=request.message.sender,
            enclosed=file if isinstance(file, Enclosed) else None,
        )
