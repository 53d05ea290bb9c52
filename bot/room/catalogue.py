"""*harga*, *habis* and *ada*: one row of the catalogue, shown as a difference before it is changed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sqlalchemy import Connection

from billing.catalogue import CatalogueItem, find_catalogue, read_catalogue
from billing.rowchange import (
    PRICE,
    SOLD_OUT,
    STOCK,
    RowNotChanged,
    cell_of,
    find,
    price_in_chat,
    stock_in_chat,
    with_cell,
)
from billing.rupiah import format_rupiah
from bot.room import edits
from bot.room.command import Command, Prepare, Request, Takes
from bot.room.parts import RoomParts
from config.wording import Wording
from store.edits import Kind, NewEdit

# A price below this is nearly always one that lost its "rb".
_SUSPICIOUS_IDR = 1_000


@dataclass(frozen=True, kw_only=True, slots=True)
class _Difference:
    """What is to be changed, and how the owner sees it."""

    edit: NewEdit
    body: str


# Column and text of the cell that the words behind the code mean.
_Meaning = Callable[[str], tuple[str, str]]


class Catalogue:
    """Prices and stock from the chat. The file is the one that customers are answered from."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (
            self._command("harga", self._price, help_sentence="admin_bantuan_harga"),
            self._command("habis", self._sold_out, help_sentence="admin_bantuan_habis"),
            self._command("ada", self._in_stock),
        )

    def _command(self, word: str, meaning: _Meaning, *, help_sentence: str | None = None) -> Command:
        prepare: Prepare = partial(self._prepare, meaning)
        return Command(
            words=(word,),
            act=self._show,
            prepare=prepare,
            takes=Takes.SOMETHING,
            help_sentence=help_sentence,
        )

    @staticmethod
    def _price(rest: str) -> tuple[str, str]:
        if not rest:
            raise RowNotChanged("harganya belum ditulis; contohnya *harga IH20 275rb*")
        return PRICE, str(price_in_chat(rest))

    @staticmethod
    def _sold_out(rest: str) -> tuple[str, str]:
        if rest:
            raise RowNotChanged("tulis satu kode saja, misalnya *habis IH20*")
        return STOCK, SOLD_OUT

    @staticmethod
    def _in_stock(rest: str) -> tuple[str, str]:
        return STOCK, stock_in_chat(rest)

    async def _prepare(self, meaning: _Meaning, request: Request) -> _Difference | str | None:
        return await asyncio.to_thread(self._difference, meaning, request.argument)

    def _difference(self, meaning: _Meaning, argument: str) -> _Difference | str | None:
        """The change that is meant; a sentence when it cannot be made; None when none was meant."""
        say = self._p.wording.say
        code, _, rest = argument.partition(" ")
        path, _ = find_catalogue(self._p.data_dir) if self._p.data_dir.is_dir() else (None, ())
        if path is None:
            return say("admin_gagal_ubah", sebab="belum ada katalog.csv atau katalog.xlsx di folder data")
        reading = read_catalogue(path)
        item = find(reading, code)
        if item is None:
            # "ada apa?" and "harga naik lagi nih" are talk between people; a code has a digit in it.
            if not any(char.isdigit() for char in code):
                return None
            return say("admin_kode_tidak_ada", kode=code.upper(), berkas=path.name)
        try:
            column, after = meaning(rest.strip())
            before = cell_of(path, item.code, column)
            # Now, so that what cannot be written is said before anybody says yes.
            with_cell(path, item.code, column, after)
        except RowNotChanged as exc:
            return say("admin_gagal_ubah", sebab=str(exc))
        if shown(item, column, after) == shown(item, column, None):
            return say("admin_sudah_begitu", nama=item.name, kode=item.code, nilai=shown(item, column, after))
        return self._offered(item, path, column, before, after)

    def _offered(self, item: CatalogueItem, path: Path, column: str, before: str, after: str) -> _Difference:
        warning = _warning(self._p.wording, item, column, after)
        return _Difference(
            edit=NewEdit(
                account=self._p.account,
                kind=Kind.ROW,
                target=path.name,
                detail={"code": item.code, "column": column, "before": before, "after": after},
            ),
            body=self._p.wording.say(
                "admin_ubah_barang",
                nama=item.name,
                kode=item.code,
                lama=shown(item, column, None),
                baru=shown(item, column, after),
                catatan=f"\n{warning}" if warning else "",
            ),
        )

    def _show(self, connection: Connection, request: Request) -> str | None:
        if isinstance(request.prepared, _Difference):
            edits.show(connection, self._p, request.prepared.edit, request.prepared.body)
            return ""
        return None if request.prepared is None else str(request.prepared)


def shown(item: CatalogueItem, column: str, value: str | None) -> str:
    """The cell as the owner reads it; ``value`` None is what the item says now."""
    if column == PRICE:
        amount = item.price_idr if value is None else int(value)
        return format_rupiah(amount) + (f" per {item.unit}" if item.unit else "")
    if value is None:
        value = "" if item.stock is None else str(item.stock)
    if value in ("", "ada", "-"):
        return "stok tersedia"
    return "stok habis" if value in (SOLD_OUT, "0") else f"stok sisa {value}"


def _warning(wording: Wording, item: CatalogueItem, column: str, after: str) -> str:
    if column == PRICE and int(after) < _SUSPICIOUS_IDR:
        return wording.say("admin_harga_kecil", mungkin=format_rupiah(int(after) * 1000))
    if not item.active:
        return wording.say("admin_barang_nonaktif")
    return ""
