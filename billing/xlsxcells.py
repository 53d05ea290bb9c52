"""Changing cells of an .xlsx file while everything else in it stays as it is, byte for byte.

Saving the book anew with a library would lose what the library does not know, and the results of all
formulas: a price that is computed would be empty until somebody opens the file. So only the text of the
cells is replaced, in the one part of the archive that holds the sheet.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from posixpath import join, normpath
from xml.etree import ElementTree
from xml.sax.saxutils import escape

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_PACKAGE = "{http://schemas.openxmlformats.org/package/2006/relationships}"
_SHEET = "katalog"


class CellNotChangedError(ValueError):
    """The file is built in a way that this module does not change; the text tells the owner what to do."""


def change_xlsx(data: bytes, row: int, cells: Mapping[int, str | int]) -> bytes:
    """The file with other values in these cells of the row. Rows count from 1, positions from 0.

    Raises CellNotChangedError.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as book:
            part = _sheet_part(book)
            sheet = book.read(part).decode("utf-8")
            for position, value in cells.items():
                sheet = _with_cell(sheet, row, position, value)
            return _with_part(book, part, sheet.encode("utf-8"))
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError, ElementTree.ParseError) as exc:
        raise CellNotChangedError("berkasnya tidak bisa kuubah; ubah sendiri di Excel ya") from exc


def _sheet_part(book: zipfile.ZipFile) -> str:
    """The name of the part with the sheet that ``billing.tables`` reads."""
    sheets = ElementTree.fromstring(book.read("xl/workbook.xml")).findall(f"{_MAIN}sheets/{_MAIN}sheet")
    chosen = next((s for s in sheets if s.get("name", "").strip().lower() == _SHEET), sheets[0])
    relations = ElementTree.fromstring(book.read("xl/_rels/workbook.xml.rels"))
    targets = {
        found.get("Id"): found.get("Target", "") for found in relations.iter(f"{_PACKAGE}Relationship")
    }
    target = targets[chosen.get(_RELATION)]
    return target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))


def _with_cell(sheet: str, row: int, position: int, value: str | int) -> str:
    name = f"{_letters(position)}{row}"
    found = re.search(rf'<c(?=\s)([^>]*\sr="{name}"[^>]*?)(?:/>|>(.*?)</c>)', sheet, re.DOTALL)
    if found is None:
        return _with_new_cell(sheet, row, position, value)
    if "<f" in (found[2] or ""):
        raise CellNotChangedError(f"sel {name} berisi rumus; ubah sendiri di Excel ya")
    style = re.search(r'\ss="\d+"', found[1])
    return sheet[: found.start()] + _cell(name, value, style[0] if style else "") + sheet[found.end() :]


def _with_new_cell(sheet: str, row: int, position: int, value: str | int) -> str:
    """The cell was empty and is not written in the file: it goes before the first one to its right."""
    opened = re.search(rf'<row(?=\s)[^>]*\sr="{row}"[^>]*?(/?)>', sheet)
    if opened is None or opened[1]:
        raise CellNotChangedError("barisnya tidak kutemukan di berkas itu; ubah sendiri di Excel ya")
    end = sheet.index("</row>", opened.end())
    at = end
    for other in re.finditer(r'<c(?=\s)[^>]*\sr="([A-Z]+)\d+"', sheet[opened.end() : end]):
        if _position(other[1]) > position:
            at = opened.end() + other.start()
            break
    return sheet[:at] + _cell(f"{_letters(position)}{row}", value, "") + sheet[at:]


def _cell(name: str, value: str | int, style: str) -> str:
    if isinstance(value, int):
        return f'<c r="{name}"{style}><v>{value}</v></c>'
    if not value:
        return f'<c r="{name}"{style}/>'
    return f'<c r="{name}"{style} t="inlineStr"><is><t>{escape(value)}</t></is></c>'


def _with_part(book: zipfile.ZipFile, part: str, content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as changed:
        for item in book.infolist():
            changed.writestr(item, content if item.filename == part else book.read(item), item.compress_type)
    return out.getvalue()


def _letters(position: int) -> str:
    letters, number = "", position + 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _position(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
