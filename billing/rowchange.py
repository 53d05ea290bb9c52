"""One row of the catalogue changed: the file's new bytes, checked by reading them as everybody else does."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Mapping
from pathlib import Path

from billing.catalogue import CatalogueItem, CatalogueReading, column_positions, read_catalogue
from billing.csvcells import change_csv
from billing.rupiah import amounts_in, parse_rupiah
from billing.tables import read_table
from billing.textfile import NotTextError
from billing.xlsxcells import CellNotChangedError, change_xlsx

PRICE, STOCK = "harga", "stok"
SOLD_OUT, IN_STOCK = "habis", "ada"


class RowNotChanged(Exception):
    """Nothing was changed; the text tells the owner why and what to do, as the end of a sentence."""


def price_in_chat(written: str) -> int:
    """A price as people type it in a chat: "275rb", "1,2jt", "Rp275.000". Rupiah, more than 0.

    A file is read more strictly (``parse_rupiah``); here the owner sees the amount written out and says yes.
    Raises ``RowNotChanged``.
    """
    text = written.strip()
    try:
        amount = parse_rupiah(text)
    except ValueError:
        meant = amounts_in(text)
        # Nothing but the amount: "275rb aja" or "275 sampai 300 ribu" is for a person to say again.
        if len(meant) != 1 or len(text.split()) > 2 or (not text[:1].isdigit() and not text.startswith("rp")):
            raise RowNotChanged(f"“{written}” tidak terbaca sebagai harga; tulis misalnya 275rb") from None
        amount = meant[0]
    if amount <= 0:
        raise RowNotChanged(
            "harga 0 tidak bisa; kalau barangnya tidak dijual lagi, tulis *habis* dan kodenya"
        )
    return amount


def stock_in_chat(written: str) -> str:
    """What *ada* writes into the column: the count, or the word alone. Raises ``RowNotChanged``."""
    if not written:
        return IN_STOCK
    if written.isascii() and written.isdigit() and 0 < int(written) < 10**9:
        return str(int(written))
    raise RowNotChanged(f"“{written}” bukan jumlah stok; tulis misalnya *ada IH20 5*, atau *ada IH20* saja")


def find(reading: CatalogueReading, code: str) -> CatalogueItem | None:
    """The row with this code, in whatever case it was typed."""
    return next((item for item in reading.items if item.code == code.upper()), None)


def cell_of(path: Path, code: str, column: str) -> str:
    """The text of the row's cell; empty when it is empty or not there. Raises ``RowNotChanged``."""
    row, columns = _place(path, code)
    cells = next(cells for number, cells in read_table(path).rows if number == row)
    position = columns.get(column)
    value = cells[position] if position is not None and position < len(cells) else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return "" if value is None else str(value)


def with_cell(path: Path, code: str, column: str, value: str) -> bytes:
    """The catalogue's bytes with another text in this cell of the code's row. Raises ``RowNotChanged``.

    Every other row is as before: that is checked by reading both.
    """
    row, columns = _place(path, code)
    if column not in columns:
        raise RowNotChanged(f"{path.name} belum punya kolom {column}; tambahkan dulu judul kolomnya")
    data, position = path.read_bytes(), columns[column]
    try:
        if path.suffix.lower() == ".xlsx":
            changed = change_xlsx(data, row, {position: int(value) if value.isdecimal() else value})
        else:
            changed = change_csv(data, row, {position: value})
    except CellNotChangedError as exc:
        raise RowNotChanged(str(exc)) from exc
    except (NotTextError, ValueError) as exc:
        raise RowNotChanged(f"{path.name} tidak bisa kuubah; ubah sendiri berkasnya ya") from exc
    _check(path, changed, code)
    return changed


def _place(path: Path, code: str) -> tuple[int, Mapping[str, int]]:
    item = find(read_catalogue(path), code)
    if item is None:
        raise RowNotChanged(f"kode {code.upper()} tidak ada di {path.name}")
    return item.row, column_positions(read_table(path))


def _check(path: Path, changed: bytes, code: str) -> None:
    """Read what would be written; nothing but the one row may differ."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        copy.write_bytes(changed)
        after = read_catalogue(copy)
    before = read_catalogue(path)
    others = [
        [dataclasses.asdict(item) for item in reading.items if item.code != code.upper()]
        for reading in (before, after)
    ]
    if others[0] != others[1] or find(after, code) is None:
        raise RowNotChanged(
            f"{path.name} tidak bisa kuubah tanpa merusak baris lain; ubah sendiri berkasnya ya"
        )
