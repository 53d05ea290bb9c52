"""Changes to the shop's files: shown first, made on *ya*, undone by *batal*."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog
from sqlalchemy import Connection

from billing.catalogue import FILE_NAMES, read_catalogue
from billing.rowchange import RowNotChanged, cell_of, with_cell
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


@dataclass(frozen=True, kw_only=True, slots=True)
class _Attempt:
    """What came of changing the file."""

    problem: str = ""  # the end of a sentence; empty when the file is as it is to be
    prices: Mapping[str, int] = field(default_factory=dict)  # what costs another price since then, by code


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

    async def carry_out(self, request: Request) -> _Attempt:
        """Change the file before the edit is marked: doing it twice gives the same file."""
        edit = await self._p.store.read(lambda c: self._quoted(c, request))
        if edit is not None and edit.state is State.OFFERED and request.means(YES):
            return await self._attempt(edit, forward=True)
        if edit is not None and edit.state is State.APPLIED and request.means(UNDO):
            return await self._attempt(edit, forward=False)
        return _Attempt()

    async def take_back(self, request: Request) -> _Attempt:
        """Undo the newest change in its file."""
        edit = await self._p.store.read(lambda c: edits.newest_applied(c, self._p.account))
        return _Attempt() if edit is None else await self._attempt(edit, forward=False)

    def settle(self, connection: Connection, request: Request) -> str | None:
        say = self._p.wording.say
        edit = self._quoted(connection, request)
        if edit is None or not request.means(YES | NO | UNDO):
            return None
        if request.message.quoted_id is None and edit.state in (State.DECLINED, State.UNDONE):
            return None  # A bare word is about something that can still be decided.
        if (made := _made(request)).problem:
            return say("admin_gagal_ubah", sebab=made.problem)
        if edit.state is State.OFFERED and request.means(YES):
            edits.move(connection, edit.id, to=State.APPLIED, was=State.OFFERED)
            return say("admin_sudah_diubah") + self._kept_prices(connection, made.prices)
        if edit.state is State.OFFERED:
            edits.move(connection, edit.id, to=State.DECLINED, was=State.OFFERED)
            return say("admin_tidak_diubah")
        if edit.state is State.APPLIED and request.means(UNDO):
            return self._undone(connection, edit, made)
        # The same word twice is no reason to talk; another one is told that it comes too late.
        again = edit.state is State.APPLIED and request.means(YES)
        return "" if again else say("admin_ubah_lewat")

    def undo(self, connection: Connection, request: Request) -> str:
        edit = edits.newest_applied(connection, self._p.account)
        if edit is None:
            return self._p.wording.say("admin_tidak_ada_batal")
        if (made := _made(request)).problem:
            return self._p.wording.say("admin_gagal_ubah", sebab=made.problem)
        return self._undone(connection, edit, made)

    def _undone(self, connection: Connection, edit: Edit, made: _Attempt) -> str:
        edits.move(connection, edit.id, to=State.UNDONE, was=State.APPLIED)
        undone = self._p.wording.say("admin_dibatalkan", apa=described(edit))
        return undone + self._kept_prices(connection, made.prices)

    def _kept_prices(self, connection: Connection, prices: Mapping[str, int]) -> str:
        """What was ordered at another price costs what was read back to its customer; the owner hears it."""
        kept = takings.at_other_prices(connection, self._p.account, prices) if prices else 0
        return "\n" + self._p.wording.say("admin_harga_tetap", jumlah=kept) if kept else ""

    def _quoted(self, connection: Connection, request: Request) -> Edit | None:
        if request.notice is None or request.notice.outbox_id is None:
            return None
        return edits.of_notice(connection, self._p.account, request.notice.outbox_id)

    async def _attempt(self, edit: Edit, *, forward: bool) -> _Attempt:
        try:
            prices = await asyncio.to_thread(_make, self._p.data_dir, edit, forward)
            return _Attempt(prices=prices)
        except (EditNotMade, RowNotChanged, learning.LearningError) as exc:
            problem = str(exc)
        except OSError as exc:
            problem = f"{edit.target} tidak bisa ditulis ({exc.strerror}); periksa izin folder data"
        log.warning("edit_not_made", edit=edit.id, forward=forward, reason=problem)
        return _Attempt(problem=problem)


def _made(request: Request) -> _Attempt:
    return request.prepared if isinstance(request.prepared, _Attempt) else _Attempt()


def described(edit: Edit) -> str:
    """The change in a few words."""
    match edit.kind:
        case Kind.ROW:
            return f"{edit.detail['column']} {edit.detail['code']}"
        case Kind.ENTRY:
            return "FAQ yang baru disimpan"
        case Kind.FILE:
            return edit.target


def _make(data_dir: Path, edit: Edit, forward: bool) -> dict[str, int]:
    """Change the file; what costs another price since then, by its code in capitals."""
    before = _prices(data_dir, edit)
    _change(data_dir, edit, forward)
    return dict(_prices(data_dir, edit).items() - before.items())


def _prices(data_dir: Path, edit: Edit) -> dict[str, int]:
    path = data_dir / edit.target
    if edit.target.lower() not in FILE_NAMES or not path.exists():
        return {}
    return {item.code.upper(): item.price_idr for item in read_catalogue(path).items}


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
