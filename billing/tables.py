"""Rows of a price list from .csv or .xlsx, before anything is known about their meaning."""

import csv
import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from billing.textfile import NotTextError, decode

MAX_FILE_BYTES = 20_000_000
# Sheets that were formatted to the last line hold a million empty rows; a real list has no such hole.
_EMPTY_ROWS_AT_END = 1_000

Cell = str | int | float | bool | None


@dataclass(frozen=True, kw_only=True)
class Table:
    """Non-empty rows with the number a spreadsheet shows for them, counted from 1."""

    rows: list[tuple[int, list[Cell]]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def read_table(path: Path) -> Table:
    """Rows of one file. Never raises for what is in the file: a broken one is a table with problems."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            return Table(problems=["Berkas lebih dari 20 MB; hapus gambar dan lembar lain dari berkas ini."])
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or "tidak diketahui"
        return Table(problems=[f"Berkas tidak bisa dibuka ({reason}); periksa berkas dan izinnya."])
    return _from_xlsx(data) if path.suffix.lower() == ".xlsx" else _from_csv(data)


def _from_csv(data: bytes) -> Table:
    try:
        decoded = decode(data)
    except NotTextError as error:
        return Table(problems=[str(error)])
    text, first_row = decoded.text, 1
    problems = [decoded.problem] if decoded.problem else []
    # Excel understands, and some exports write, a first line that names the separator.
    if text[:4].lower() == "sep=":
        text, first_row = text.partition("\n")[2], 2
    # strict makes an unclosed quote an error here instead of one giant cell that swallows the list.
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter(text), strict=True)
    rows: list[tuple[int, list[Cell]]] = []
    try:
        for number, cells in enumerate(reader, start=first_row):
            stripped: list[Cell] = [cell.strip() for cell in cells]
            if any(stripped):
                rows.append((number, stripped))
    except csv.Error:
        problems.append(
            f"Baris {first_row + reader.line_num - 1} dan sesudahnya tidak terbaca karena tanda kutip tidak "
            f'berpasangan; hapus atau gandakan tanda " di sana.'
        )
    return Table(rows=rows, problems=problems)


def delimiter(text: str) -> str:
    """The separator of the header row; Excel with Indonesian settings writes semicolons."""
    header = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=header.count)


def _from_xlsx(data: bytes) -> Table:
    import openpyxl

    rows: list[tuple[int, list[Cell]]] = []
    try:
        # openpyxl warns about styles and validations that it drops; none of it concerns the values.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # From memory, so that a failure inside openpyxl leaves no open file behind.
            book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            try:
                sheet = next(
                    (sheet for sheet in book.worksheets if sheet.title.strip().lower() == "katalog"),
                    book.worksheets[0],
                )
                # Some exporters write a wrong size of the sheet, which would hide every row but the first.
                sheet.reset_dimensions()
                rows.extend(_until_empty(sheet.iter_rows(values_only=True)))
            finally:
                book.close()
    except Exception:  # noqa: BLE001 - openpyxl raises a dozen unrelated types for a damaged file; all mean one thing.
        return Table(
            problems=["Berkas rusak atau bukan .xlsx; buka di Excel lalu simpan ulang sebagai .xlsx."]
        )
    return Table(rows=rows)


def _until_empty(rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[int, list[Cell]]]:
    empty = 0
    for number, values in enumerate(rows, start=1):
        cells = [_cell(value) for value in values]
        if any(cell not in (None, "") for cell in cells):
            empty = 0
            yield number, cells
            continue
        empty += 1
        if empty >= _EMPTY_ROWS_AT_END:
            return


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, bool | int | float):
        return value
    # Dates and times have no place in a price list; as text they fail with a message that shows them.
    return str(value).strip()
