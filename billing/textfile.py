"""Bytes of an owner's text file to text, whatever program saved it."""

import codecs
from dataclasses import dataclass

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, kw_only=True)
class Decoded:
    """Text, and what the owner should know about how it was read (None when all is well)."""

    text: str
    problem: str | None = None


class NotTextError(ValueError):
    """The bytes are no text at all; the file has to be saved again in its proper program."""


def decode(data: bytes) -> Decoded:
    """UTF-8 (with or without BOM), UTF-16 with BOM, or Windows-1252 with a problem reported.

    Raises NotTextError, with an Indonesian sentence, for binary data.
    """
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return Decoded(text=data.decode(encoding))
            except UnicodeDecodeError as error:
                raise NotTextError("Isi berkas rusak; simpan ulang sebagai teks UTF-8.") from error
    # A NUL byte occurs in no text of an encoding without a BOM, and in nearly every binary file.
    if b"\0" in data:
        raise NotTextError("Isi berkas bukan teks; simpan ulang sebagai teks UTF-8.")
    try:
        return Decoded(text=data.decode("utf-8"))
    except UnicodeDecodeError:
        # cp1252 leaves five bytes undefined; a stray one must not lose the whole file.
        text = data.decode("cp1252", errors="replace")
    if _looks_binary(text):
        raise NotTextError("Isi berkas bukan teks; simpan ulang sebagai teks UTF-8.")
    return Decoded(
        text=text,
        problem="Berkas tidak tersimpan sebagai UTF-8 dan dibaca sebagai Windows-1252; "
        "simpan ulang sebagai UTF-8 supaya huruf khusus tidak rusak.",
    )


def _looks_binary(text: str) -> bool:
    controls = sum(1 for char in text if char < " " and char not in "\t\r\n\f")
    return controls * 50 > len(text)
