"""Changes to the shop's files: shown first, made on *ya*, undone by *batal*."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog
from sqlalchemy import Connection

from billing.rowchange import PRICE, RowNotChanged, cell_of, with_cell
from billing.rupiah import parse_rupiah
from bot import learning
from bot.replacing import replace
from bot.room.command import NO, THUMB_DOWN, THUMB_UP, UNDO, YES, Command, Quote, Request, Takes
from bot.room.parts import RoomParts
from store import edits, handoffs, takings
from store.edits import Edit, Kind, NewEdit, State
from store.outbox import NewMessage, Purpose

log = structlog.get_logger(__name__)


class EditNotMade(Exception):
    """The file was left as it is; the text tells the owner why."""


def show(connection: Connection, parts: RoomParts, edit: NewEdit, body: str) -> None:
    """Show the change to the owner; nothing is changed before he says *ya*."""
    room = parts.people.room
    if room.chat is None:
        return
    message = NewMessage(
        account=room.account, transport=room.transport, chat=room.chat, body=body, purpose=Purpose.NOTICE
    )
    outbox_id = handoffs.add_notice(connection, message, kind=handoffs.EDIT)
    edits.offer(connection, edit, outbox_id=outbox_id)


class Edits:
    """Quoting ✏️, a bare *ya* or *tidak* right after it, and *batal* for what was changed last."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.quotes = (
            Quote(
                kind=handoffs.EDIT,
                act=self.settle,
                prepare=self.carry_out,
                bare=YES | NO | UNDO,
                reactions={THUMB_UP: "ya", THUMB_DOWN: "tidak"},
            ),
        )
        self.commands = (
            Command(
                words=tuple(sorted(UNDO)),
                act=self.undo,
                prepare=self.take_back,
                takes=Takes.NOTHING,
                help_sentence="admin_bantuan_batal",
            ),
        )

    async def carry_out(self, request: Request) -> str:
        """Change the file before the edit is marked: doing it twice gives the same file. What went wrong."""
        edit = await self._p.store.read(lambda c: self._quoted(c, request))
        if edit is not None and edit.state is State.OFFERED and request.means(YES):
            return await self._attempt(edit, forward=True)
        if edit is not None and edit.state is State.APPLIED and request.means(UNDO):
            return await self._attempt(edit, forward=False)
        return ""

    async def take_back(self, request: Request) -> str:
        """Undo the newest change in its file. What went wrong."""
        edit = await self._p.store.read(lambda c: edits.newest_applied(c, self._p.account))
        return "" if edit is None else await self._attempt(edit, forward=False)

    def settle(self, connection: Connection, request: Request) -> str | None:
        say = self._p.wording.say
        edit = self._quoted(connection, request)
        if edit is None or not request.means(YES | NO | UNDO):
            return None
        if request.message.quoted_id is None and edit.state in (State.DECLINED, State.UNDONE):
            return None  # A bare word is about something that can still be decided.
        if request.prepared:
            return say("admin_gagal_ubah", sebab=request.prepared)
        if edit.state is State.OFFERED and request.means(YES):
            edits.move(connection, edit.id, to=State.APPLIED, was=State.OFFERED)
            return say("admin_sudah_diubah") + self._kept_prices(connection, edit, now="after")
        if edit.state is State.OFFERED:
            edits.move(connection, edit.id, to=State.DECLINED, was=State.OFFERED)
            return say("admin_tidak_diubah")
        if edit.state is State.APPLIED and request.means(UNDO):
            return self._undone(connection, edit)
        # The same word twice is no reason to talk; another one is told that it comes too late.
        again = edit.state is State.APPLIED and request.means(YES)
        return "" if again else say("admin_ubah_lewat")

    def undo(self, connection: Connection, request: Request) -> str:
        edit = edits.newest_applied(connection, self._p.account)
        if edit is None:
            return self._p.wording.say("admin_tidak_ada_batal")
        if request.prepared:
            return self._p.wording.say("admin_gagal_ubah", sebab=request.prepared)
        return self._undone(connection, edit)

    def _undone(self, connection: Connection, edit: Edit) -> str:
        edits.move(connection, edit.id, to=State.UNDONE, was=State.APPLIED)
        undone = self._p.wording.say("admin_dibatalkan", apa=described(edit))
        return undone + self._kept_prices(connection, edit, now="before")

    def _kept_prices(self, connection: Connection, edit: Edit, *, now: str) -> str:
        """What was ordered at another price costs what was read back to its customer; the owner hears it."""
        if edit.detail.get("column") != PRICE:
            return ""
        try:
            amount = parse_rupiah(str(edit.detail[now]))
        except ValueError:
            return ""  # What was in the cell was no price.
        code = str(edit.detail["code"])
        kept = takings.at_other_price(connection, self._p.account, code=code, price_idr=amount)
        return "\n" + self._p.wording.say("admin_harga_tetap", jumlah=kept) if kept else ""

    def _quoted(self, connection: Connection, request: Request) -> Edit | None:
        if request.notice is None or request.notice.outbox_id is None:
            return None
        return edits.of_notice(connection, self._p.account, request.notice.outbox_id)

    async def _attempt(self, edit: Edit, *, forward: bool) -> str:
        """What went wrong, as the end of a sentence; empty when the file is now as it is to be."""
        try:
            await asyncio.to_thread(_change, self._p.data_dir, edit, forward)
        except (EditNotMade, RowNotChanged, learning.LearningError) as exc:
            problem = str(exc)
        except OSError as exc:
            problem = f"{edit.target} tidak bisa ditulis ({exc.strerror}); periksa izin folder data"
        else:
            return ""
        log.warning("edit_not_made", edit=edit.id, forward=forward, reason=problem)
        return problem


def described(edit: Edit) -> str:
    """The change in a few words."""
    match edit.kind:
        case Kind.ROW:
            return f"{edit.detail['column']} {edit.detail['code']}"
        case Kind.ENTRY:
            return "FAQ yang baru disimpan"
        case Kind.FILE:
            return edit.target


def _change(data_dir: Path, edit: Edit, forward: bool) -> None:
    """Bring the file to where the edit wants it. What stands there already is not written again."""
    path = data_dir / edit.target
    match edit.kind:
        case Kind.ROW:
            _change_row(path, edit, forward)
        case Kind.FILE:
            _change_file(path, edit, forward)
        case Kind.ENTRY:
            if not forward:
                # One that was learnt alone, or several together.
                for entry in edit.detail.get("entries") or [edit.detail["entry"]]:
                    learning.unlearn(data_dir, entry_id=str(entry))


def _change_row(path: Path, edit: Edit, forward: bool) -> None:
    code, column = str(edit.detail["code"]), str(edit.detail["column"])
    before, after = str(edit.detail["before"]), str(edit.detail["after"])
    was, wanted = (before, after) if forward else (after, before)
    if not path.is_file():
        raise EditNotMade(f"{path.name} sudah tidak ada")
    now = cell_of(path, code, column)
    if now == wanted:
        return
    if now != was:
        # Somebody edited the file meanwhile, or sold a piece: his figure is the newer one.
        raise EditNotMade(f"{column} {code} sudah berubah lagi sejak itu (sekarang {now or 'kosong'})")
    replace(path, with_cell(path, code, column, wanted))


def _change_file(path: Path, edit: Edit, forward: bool) -> None:
    was, wanted = (edit.before, edit.after) if forward else (edit.after, edit.before)
    now = path.read_bytes() if path.exists() else None
    if now == wanted:
        return
    if now != was:
        raise EditNotMade(f"{path.name} sudah berubah lagi sejak itu")
    if wanted is None:
        path.unlink()
    else:
        replace(path, wanted)
