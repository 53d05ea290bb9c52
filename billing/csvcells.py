"""Changing cells of a .csv file while every other character of it stays as it is."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator, Mapping

from billing.tables import delimiter
from billing.textfile import NotTextError

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))

# The cells of one record: where each begins and ends in the text.
_Record = list[tuple[int, int]]


def change_csv(data: bytes, row: int, cells: Mapping[int, str]) -> bytes:
    """The file with other texts in these cells of the row, both counted as ``billing.tables`` does.

    ``row`` counts from 1, a cell's position from 0. Raises ValueError when there is no such row.
    """
    bom, encoding = next(((mark, name) for mark, name in _BOMS if data.startswith(mark)), (b"", "utf-8"))
    try:
        text = data.removeprefix(bom).decode(encoding)
    except UnicodeDecodeError:
        # What billing.textfile reads without a mark is one of the two.
        encoding = "cp1252"
        text = data.decode(encoding, errors="strict")
    body, first_row = text, 1
    if text[:4].lower() == "sep=":
        body, first_row = text.partition("\n")[2], 2
    head, separator = text[: len(text) - len(body)], delimiter(body)
    record = next(
        (cells_of for number, cells_of in enumerate(_records(body, separator), first_row) if number == row),
        None,
    )
    if not record:
        raise ValueError(f"there is no row {row}")
    for position in sorted(cells, reverse=True):
        body = _put(body, record, position, _quoted(cells[position], separator), separator)
    try:
        return bom + (head + body).encode(encoding)
    except UnicodeEncodeError as exc:
        raise NotTextError("the file's encoding has no such character") from exc


def _put(body: str, record: _Record, position: int, written: str, separator: str) -> str:
    if position < len(record):
        start, end = record[position]
        return body[:start] + written + body[end:]
    # The row ends before this column: spreadsheets leave out what is empty at the end.
    end = record[-1][1]
    return body[:end] + separator * (position - len(record) + 1) + written + body[end:]


def _quoted(value: str, separator: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, lineterminator="").writerow([value, ""])
    return out.getvalue()[: -len(separator)]


def _records(text: str, separator: str) -> Iterator[_Record]:
    """Each record's cells as spans of the text, an empty list for an empty line, as ``csv.reader`` counts."""
    at, record, start = 0, _Record(), 0
    while at < len(text):
        if text[at] == '"' and at == start:
            at = _behind_quotes(text, at)
        elif text[at] == separator:
            record.append((start, at))
            at += 1
            start = at
        elif text[at] in "\r\n":
            yield [*record, (start, at)] if record or at > start else []
            at += 2 if text.startswith("\r\n", at) else 1
            record, start = [], at
        else:
            at += 1
    if record or at > start:
        yield [*record, (start, at)]


def _behind_quotes(text: str, at: int) -> int:
    """Where a quoted cell that begins at ``at`` ends; a doubled quote is one character of it."""
    at += 1
    while at < len(text):
        if text[at] != '"':
            at += 1
        elif text.startswith('""', at):
            at += 2
        else:
            return at + 1
    return at
