"""The catalogue: the one list of what is sold, read by retrieval and by checkout alike."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from billing.rupiah import format_rupiah, parse_rupiah
from billing.tables import Cell, Table, read_table

FILE_NAMES = ("katalog.xlsx", "katalog.csv")
COLUMNS = ("kode", "nama", "harga", "satuan", "stok", "aktif", "keterangan", "perlu", "setelah_bayar")
REQUIRED_COLUMNS = ("kode", "nama", "harga")

# A code is typed in chat ("harga IH20 275rb"), so it is one word.
_CODE = re.compile(r"[A-Z0-9][A-Z0-9._/-]{0,31}")
_YES = frozenset({"", "ya", "y", "yes", "aktif", "true", "1", "1.0"})
_NO = frozenset({"tidak", "t", "no", "n", "nonaktif", "false", "0", "0.0"})
_UNCOUNTED = frozenset({"", "-", "ada", "tersedia", "ready"})
# Nearly every price below this is "275.000" that a spreadsheet with English settings turned into 275.
_SUSPICIOUS_IDR = 1_000


@dataclass(frozen=True, kw_only=True)
class CatalogueItem:
    """One thing for sale, as one row of the list says."""

    code: str
    """Upper case, unique in the list."""
    name: str
    price_idr: int
    unit: str = ""
    """What the price is for ("bulan", "pcs"); empty when the row does not say."""
    stock: int | None = None
    """Pieces left; 0 is sold out, None is not counted."""
    active: bool = True
    description: str = ""
    needs: tuple[str, ...] = ()
    """What to ask the customer before an order ("nama", "alamat")."""
    after_payment: str = ""
    """What the customer gets once he has paid; never shown before."""
    row: int
    """Row in the spreadsheet, for messages."""

    @property
    def sold_out(self) -> bool:
        return self.stock == 0


@dataclass(frozen=True, kw_only=True)
class CatalogueReading:
    """Good rows, and one Indonesian sentence for each thing the owner should mend."""

    items: tuple[CatalogueItem, ...]
    problems: tuple[str, ...]


def find_catalogue(data_dir: Path) -> tuple[Path | None, tuple[str, ...]]:
    """The list that counts in this folder (None: there is none), and what the owner should know about it."""
    by_name = {path.name.lower(): path for path in sorted(data_dir.iterdir())}
    found = [by_name[name] for name in FILE_NAMES if name in by_name]
    if len(found) > 1:
        used, unused = found[0].name, found[1].name
        return found[0], (
            f"Ada {used} dan {unused}: yang dipakai {used}, isi {unused} tidak dibaca; hapus salah satunya.",
        )
    return (found[0] if found else None), ()


def read_catalogue(path: Path) -> CatalogueReading:
    """Items of a .csv or .xlsx list. A bad row is left out and named; nothing in a file raises."""
    table = read_table(path)
    problems = list(table.problems)
    if not table.rows:
        if not problems:
            problems.append("Katalog kosong; isi baris judul kode,nama,harga lalu satu baris per barang.")
        return CatalogueReading(items=(), problems=tuple(problems))
    columns, header_problems = _header(table)
    problems += header_problems
    items: dict[str, CatalogueItem] = {}
    if columns:
        for number, cells in table.rows[1:]:
            row = {name: _at(cells, index) for name, index in columns.items()}
            if any(value not in (None, "") for value in row.values()):
                _take(number, row, items, problems)
        if len(table.rows) == 1:
            problems.append("Katalog baru berisi baris judul; tambahkan satu baris per barang.")
    return CatalogueReading(items=tuple(items.values()), problems=tuple(problems))


def column_positions(table: Table) -> Mapping[str, int]:
    """Which column of the file is which; empty when a required one is missing."""
    return _header(table)[0] if table.rows else {}


def _header(table: Table) -> tuple[dict[str, int], list[str]]:
    """Column name to position; empty when a required one is missing."""
    columns: dict[str, int] = {}
    problems: list[str] = []
    for index, cell in enumerate(table.rows[0][1]):
        written = str(cell or "").strip()
        name = re.sub(r"[\s_-]+", "_", written.lower())
        if name in columns:
            problems.append(f"Kolom {name} tertulis dua kali; yang kiri dipakai, hapus yang kanan.")
        elif name in COLUMNS:
            columns[name] = index
        elif close := difflib.get_close_matches(name, COLUMNS, n=1, cutoff=0.75):
            # Only likely slips are named: owners keep columns of their own, such as the purchase price.
            problems.append(f"Kolom '{written}' tidak dikenal dan dilewati; mungkin maksudnya '{close[0]}'.")
    missing = [name for name in REQUIRED_COLUMNS if name not in columns]
    if not missing:
        return columns, problems
    return {}, [
        *problems,
        f"Kolom {', '.join(missing)} tidak ada; tulis judul kolom kode, nama dan harga di baris pertama "
        f"(baris {table.rows[0][0]}).",
    ]


def _at(cells: Sequence[Cell], index: int) -> Cell:
    return cells[index] if index < len(cells) else None


def _take(number: int, row: Mapping[str, Cell], items: dict[str, CatalogueItem], problems: list[str]) -> None:
    """Adds the row's item, or says of every wrong cell in the row what to write there."""
    faults: list[str] = []
    code, name = _text(row.get("kode")).upper(), _text(row.get("nama"))
    if not _CODE.fullmatch(code):
        faults.append(_fault("kode", row.get("kode"), "tulis satu kata tanpa spasi, misalnya IH20"))
    elif code in items:
        faults.append(
            f"kode {code} sudah dipakai di baris {items[code].row}; baris ini dilewati, beri kode lain"
        )
    if not name:
        faults.append("kolom nama kosong; tulis nama barangnya")
    price_idr = _price(row.get("harga"), faults)
    stock = _stock(row.get("stok"), faults)
    active = _active(row.get("aktif"), faults)
    if faults:
        problems.extend(f"Baris {number}: {fault}." for fault in faults)
        return
    if price_idr < _SUSPICIOUS_IDR:
        problems.append(
            f"Baris {number}: harga {format_rupiah(price_idr)} sangat kecil; kalau maksudnya "
            f"{format_rupiah(price_idr * 1000)}, tulis {price_idr * 1000} tanpa titik."
        )
    items[code] = CatalogueItem(
        code=code,
        name=name,
        price_idr=price_idr,
        unit=re.sub(r"^(?:per\s+|/\s*)", "", _text(row.get("satuan")), flags=re.IGNORECASE),
        stock=stock,
        active=active,
        description=_text(row.get("keterangan")),
        needs=tuple(part for part in re.split(r"\s*[,;\n]\s*", _text(row.get("perlu"))) if part),
        after_payment=_text(row.get("setelah_bayar"), keep_lines=True),
        row=number,
    )


def _price(value: Cell, faults: list[str]) -> int:
    if value is None or value == "":
        faults.append(
            "kolom harga kosong; tulis angka saja, misalnya 275000 (sel berisi rumus: simpan ulang di Excel)"
        )
        return 0
    try:
        amount = parse_rupiah(value)
    except ValueError as error:
        faults.append(f"kolom harga '{value}' {error}")
        return 0
    if amount == 0:
        # A checkout of nothing is refused by every payment provider.
        faults.append("kolom harga 0; barang gratis cukup ditulis di FAQ, bukan di katalog")
    return amount


def _stock(value: Cell, faults: list[str]) -> int | None:
    text = _text(value).lower()
    if text in _UNCOUNTED:
        return None
    if text == "habis":
        return 0
    if re.fullmatch(r"\d{1,9}", text) and text.isascii():
        return int(text)
    faults.append(_fault("stok", value, "tulis angka bulat, 'habis', atau kosongkan kalau tidak dihitung"))
    return None


def _active(value: Cell, faults: list[str]) -> bool:
    text = _text(value).lower()
    if text not in _YES | _NO:
        faults.append(_fault("aktif", value, "tulis ya atau tidak"))
    return text not in _NO


def _fault(column: str, value: Cell, remedy: str) -> str:
    shown = "kosong" if value in (None, "") else f"'{value}' tidak bisa dipakai"
    return f"kolom {column} {shown}; {remedy}"


def _text(value: Cell, *, keep_lines: bool = False) -> str:
    if value is None:
        return ""
    # A spreadsheet keeps a code or a stock such as 20 as the number 20.0.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    text = str(value).strip()
    return text if keep_lines else " ".join(text.split())
