"""`python -m billing.invoice_pdf`: a stored invoice as JSON on standard input, its PDF on standard output.

A short-lived process of its own, because the PDF library costs 30 MB and reads pictures that somebody gave:
it may use so much memory and time and no more, and takes nothing with it when it breaks.

reportlab, because it is BSD, and brings nothing but Pillow, which is there already; fpdf2 is LGPL and brings
fontTools. The standard fonts are in every viewer, so that an invoice has 4 KB and no font in it.
"""

from __future__ import annotations

import bisect
import io
import json
import resource
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from billing.invoice import InvoiceBody, InvoiceLine, Ppn
from billing.rupiah import format_rupiah
from billing.terbilang import terbilang
from config.hours import zone_name
from config.phone import normalise_phone

if TYPE_CHECKING:
    from reportlab.pdfgen.canvas import Canvas

CPU_S = 10
MEMORY_BYTES = 1 << 29
LARGEST_INPUT = 1 << 20
LARGEST_LOGO = 4 << 20

# A5, upright: half the paper, and on a phone the letters are as large as those of the chat.
WIDTH, HEIGHT = 419.53, 595.28
_LEFT, _RIGHT = 34.0, WIDTH - 34.0
_BOTTOM = 54.0
_INK, _SOFT, _LINE = (0.09, 0.13, 0.2), (0.42, 0.47, 0.55), (0.87, 0.89, 0.92)
_BRAND, _GOOD, _GROUND = (0.06, 0.36, 0.33), (0.05, 0.52, 0.3), (0.955, 0.965, 0.97)
_PLAIN, _BOLD, _ITALIC = "Helvetica", "Helvetica-Bold", "Helvetica-Oblique"
_MONTHS = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
)
_LOGO_HEIGHT, _LOGO_WIDTH = 40.0, 110.0
_MOST_DETAIL_LINES = 5

Colour = tuple[float, float, float]


def pdf(body: InvoiceBody) -> bytes:
    """The document: one page, or more when there are many lines."""
    from reportlab.pdfgen.canvas import Canvas

    made = io.BytesIO()
    # The same row gives the same bytes: nothing of the moment in which it is made goes in.
    canvas = Canvas(made, pagesize=(WIDTH, HEIGHT), invariant=1, pageCompression=1)
    canvas.setTitle(f"Invoice {body.number}")
    canvas.setAuthor(_shown(body.shop_name))
    _Sheet(canvas, body).draw()
    canvas.save()
    return made.getvalue()


class _Sheet:
    """Draws from the top down; ``_y`` is the base line of what comes next."""

    def __init__(self, canvas: Canvas, body: InvoiceBody) -> None:
        self._canvas = canvas
        self._body = body
        self._paid = datetime.fromtimestamp(body.paid_ms / 1000, ZoneInfo(body.zone))
        self._page = 1
        self._y = HEIGHT - 40

    def draw(self) -> None:
        self._head()
        self._parties()
        self._lines()
        self._totals()
        self._words()
        self._foot()

    # --- Pieces of the page ---------------------------------------------------------------------------------

    def _head(self) -> None:
        body, top = self._body, HEIGHT - 34
        self._canvas.setFillColorRGB(*_BRAND)
        self._canvas.rect(0, HEIGHT - 6, WIDTH, 6, stroke=0, fill=1)
        left = _LEFT + self._logo(top) + 11
        room = _RIGHT - left - 118
        self._text(left, top - 13, _fitting(body.shop_name, _BOLD, 14, room), font=_BOLD, size=14)
        y = top - 26
        for line in _wrapped(body.shop_address, _PLAIN, 7.5, room, most=3):
            self._text(left, y, line, size=7.5, colour=_SOFT)
            y -= 9.5
        about = [f"WA {_readable(body.shop_number)}" if body.shop_number else "", _npwp(body)]
        for line in filter(None, about):
            self._text(left, y, line, size=7.5, colour=_SOFT)
            y -= 9.5
        self._right(_RIGHT, top - 14, "INVOICE", font=_BOLD, size=17, colour=_BRAND, spacing=1.2)
        self._right(_RIGHT, top - 28, body.number, font=_BOLD, size=8.5)
        self._right(_RIGHT, top - 39, _date(self._paid), size=8, colour=_SOFT)
        self._y = min(y, top - _LOGO_HEIGHT - 6) - 8

    def _logo(self, top: float) -> float:
        """The shop's picture, or its first letter in a square; the width that it takes."""
        picture = _picture(self._body.logo)
        if picture is not None:
            wide, high = picture.getSize()
            scale = min(_LOGO_HEIGHT / high, _LOGO_WIDTH / wide)
            size = (wide * scale, high * scale)
            self._canvas.drawImage(picture, _LEFT, top - size[1], *size, mask="auto")
            return float(size[0])
        self._canvas.setFillColorRGB(*_BRAND)
        self._canvas.roundRect(_LEFT, top - _LOGO_HEIGHT, _LOGO_HEIGHT, _LOGO_HEIGHT, 9, stroke=0, fill=1)
        letter = next((char for char in _shown(self._body.shop_name) if char.isalnum()), "T").upper()
        self._canvas.setFillColorRGB(1, 1, 1)
        self._canvas.setFont(_BOLD, 22)
        self._canvas.drawCentredString(_LEFT + _LOGO_HEIGHT / 2, top - _LOGO_HEIGHT / 2 - 7.6, letter)
        return _LOGO_HEIGHT

    def _parties(self) -> None:
        body, top = self._body, self._y
        middle = _LEFT + (_RIGHT - _LEFT) * 0.56
        self._rule(top)
        self._text(_LEFT, top - 15, "UNTUK", font=_BOLD, size=6.5, colour=_SOFT, spacing=0.8)
        self._text(middle, top - 15, "PEMBAYARAN", font=_BOLD, size=6.5, colour=_SOFT, spacing=0.8)
        room = middle - _LEFT - 14
        left = top - 28
        name = _shown(body.customer_name) or "Pelanggan"
        self._text(_LEFT, left, _fitting(name, _BOLD, 10, room), font=_BOLD, size=10)
        told = [_readable(body.customer_number)] if body.customer_number else []
        for key, value in body.details.items():
            # A name that repeats the buyer's says nothing new.
            if value.strip().casefold() != name.casefold():
                told += _wrapped(f"{key[:1].upper()}{key[1:]}: {value}", _PLAIN, 8, room, most=3)
        for line in told[:_MOST_DETAIL_LINES]:
            left -= 11
            self._text(_LEFT, left, line, size=8, colour=_SOFT)
        right = top - 28
        self._text(middle, right, _fitting(body.method, _BOLD, 10, _RIGHT - middle), font=_BOLD, size=10)
        clock = f"{_date(self._paid)}, {self._paid:%H.%M} {zone_name(ZoneInfo(body.zone))}"
        for line in (clock, f"Pesanan {body.order_id}"):
            right -= 11
            self._text(middle, right, line, size=8, colour=_SOFT)
        self._y = min(left, right) - 30

    def _lines(self) -> None:
        self._columns()
        for line in self._body.lines:
            self._line(line)

    def _columns(self) -> None:
        self._canvas.setFillColorRGB(*_GROUND)
        self._canvas.roundRect(_LEFT - 6, self._y - 7, _RIGHT - _LEFT + 12, 19, 4, stroke=0, fill=1)
        style = {"font": _BOLD, "size": 7.5, "colour": _SOFT}
        self._text(_LEFT, self._y - 0.5, "Barang", **style)  # type: ignore[arg-type]  # one style for four.
        for x, words in ((_QUANTITY, "Jml"), (_UNIT, "Harga"), (_RIGHT, "Jumlah")):
            self._right(x, self._y - 0.5, words, **style)  # type: ignore[arg-type]  # as above.
        self._y -= 22

    def _line(self, line: InvoiceLine) -> None:
        words = _wrapped(line.name, _PLAIN, 9, _QUANTITY - _LEFT - 34, most=3) or ["-"]
        self._need(12.0 * len(words) + 8, columns=True)
        self._right(_QUANTITY, self._y, str(line.quantity), size=9)
        self._right(_UNIT, self._y, _amount(line.unit_idr), size=9, colour=_SOFT)
        self._right(_RIGHT, self._y, _amount(line.amount_idr), size=9)
        for each in words:
            self._text(_LEFT, self._y, each, size=9)
            self._y -= 12
        self._rule(self._y + 4.5)
        self._y -= 7.5

    def _totals(self) -> None:
        body = self._body
        self._need(104 if body.has_ppn else 68)
        self._y -= 4
        if body.has_ppn:
            tax = Ppn.inside(body.total_idr)
            for words, amount in (
                ("Harga jual", tax.price_idr),
                ("DPP nilai lain (11/12)", tax.base_idr),
                ("PPN 12% dari DPP", tax.tax_idr),
            ):
                self._right(_UNIT, self._y, words, size=8, colour=_SOFT)
                self._right(_RIGHT, self._y, format_rupiah(amount), size=8)
                self._y -= 12
            self._y -= 4
        self._right(_RIGHT, self._y, "Total", size=8, colour=_SOFT)
        self._y -= 19
        self._right(_RIGHT, self._y, format_rupiah(body.total_idr), font=_BOLD, size=17)
        self._stamp(_LEFT + 44, self._y + 1)
        self._y -= 24

    def _stamp(self, x: float, y: float) -> None:
        """LUNAS, a little askew, as from the cashier's stamp."""
        canvas = self._canvas
        canvas.saveState()
        canvas.translate(x, y)
        canvas.rotate(7)
        canvas.setStrokeColorRGB(*_GOOD)
        canvas.setFillColorRGB(*_GOOD)
        canvas.setLineWidth(1.6)
        canvas.roundRect(-43, -13, 86, 29, 5, stroke=1, fill=0)
        canvas.setLineWidth(0.6)
        canvas.roundRect(-40, -10, 80, 23, 3.5, stroke=1, fill=0)
        canvas.setFont(_BOLD, 16)
        canvas.drawCentredString(1, -4.2, "LUNAS", charSpace=2)
        canvas.restoreState()

    def _words(self) -> None:
        said = f"{terbilang(self._body.total_idr)} rupiah"
        lines = _wrapped(said[:1].upper() + said[1:], _ITALIC, 8.5, _RIGHT - _LEFT - 20, most=3)
        high = 11.5 * len(lines) + 20
        self._need(high + 10)
        self._canvas.setFillColorRGB(*_GROUND)
        self._canvas.roundRect(_LEFT - 6, self._y - high, _RIGHT - _LEFT + 12, high, 5, stroke=0, fill=1)
        self._text(_LEFT + 4, self._y - 11.5, "TERBILANG", font=_BOLD, size=6, colour=_SOFT, spacing=0.8)
        y = self._y - 23
        for line in lines:
            self._text(_LEFT + 4, y, line, font=_ITALIC, size=8.5)
            y -= 11.5
        self._y -= high + 18

    def _foot(self) -> None:
        body = self._body
        self._rule(_BOTTOM - 12)
        thanks = _fitting(
            f"Terima kasih sudah berbelanja di {body.shop_name}.", _BOLD, 8, _RIGHT - _LEFT - 40
        )
        self._text(_LEFT, _BOTTOM - 25, thanks, font=_BOLD, size=8)
        kind = "Bukan faktur pajak. " if body.has_ppn else ""
        note = f"{kind}Dibuat otomatis oleh sistem, sah tanpa tanda tangan."
        self._text(_LEFT, _BOTTOM - 35, note, size=7, colour=_SOFT)
        if self._page > 1:
            self._right(_RIGHT, _BOTTOM - 25, f"Halaman {self._page}", size=7, colour=_SOFT)

    # --- Drawing --------------------------------------------------------------------------------------------

    def _need(self, high: float, *, columns: bool = False) -> None:
        """Begin another page when so much no longer fits."""
        if self._y - high > _BOTTOM:
            return
        self._foot()
        self._canvas.showPage()
        self._page += 1
        self._right(_RIGHT, HEIGHT - 34, f"Invoice {self._body.number}", font=_BOLD, size=8, colour=_SOFT)
        self._y = HEIGHT - 62
        if columns:
            self._columns()

    def _rule(self, y: float) -> None:
        self._canvas.setStrokeColorRGB(*_LINE)
        self._canvas.setLineWidth(0.6)
        self._canvas.line(_LEFT, y, _RIGHT, y)

    def _text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        font: str = _PLAIN,
        size: float = 9,
        colour: Colour = _INK,
        spacing: float = 0,
    ) -> None:
        self._canvas.setFillColorRGB(*colour)
        self._canvas.setFont(font, size)
        self._canvas.drawString(x, y, _shown(words), charSpace=spacing)

    def _right(
        self,
        x: float,
        y: float,
        words: str,
        *,
        font: str = _PLAIN,
        size: float = 9,
        colour: Colour = _INK,
        spacing: float = 0,
    ) -> None:
        shown = _shown(words)
        wide = _width(shown, font, size) + spacing * max(0, len(shown) - 1)
        self._text(x - wide, y, shown, font=font, size=size, colour=colour, spacing=spacing)


_QUANTITY, _UNIT = _RIGHT - 158, _RIGHT - 76


def _shown(text: str) -> str:
    """What the standard fonts can show of it; a name in another script or with an emoji loses that."""
    return " ".join(text.encode("cp1252", "ignore").decode("cp1252").split())


def _width(text: str, font: str, size: float) -> float:
    from reportlab.pdfbase.pdfmetrics import stringWidth

    return float(stringWidth(text, font, size))


def _fitting(text: str, font: str, size: float, room: float) -> str:
    """The text, cut with an ellipsis where it would not fit."""
    text = _shown(text)
    if _width(text, font, size) <= room:
        return text
    fits = bisect.bisect_right(range(len(text)), room, key=lambda n: _width(f"{text[:n]}…", font, size))
    return f"{text[: max(0, fits - 1)].rstrip()}…"


def _wrapped(text: str, font: str, size: float, room: float, *, most: int) -> list[str]:
    """The text in lines that fit; what is too long for ``most`` of them is cut."""
    lines: list[str] = []
    for word in _shown(text).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and _width(longer, font, size) <= room:
            lines[-1] = longer
        else:
            lines.append(_fitting(word, font, size, room))
    if len(lines) > most:
        lines = [*lines[: most - 1], _fitting(" ".join(lines[most - 1 :]), font, size, room)]
    return lines


def _picture(path: str) -> Any:
    """The logo, if it is a picture that can be read: an invoice without one is better than none."""
    from reportlab.lib.utils import ImageReader

    if not path:
        return None
    try:
        file = Path(path)
        if file.stat().st_size > LARGEST_LOGO:
            return None
        picture = ImageReader(io.BytesIO(file.read_bytes()))
        # Only now all of it is read, and what is cut off is found out.
        picture.getRGBData()
        return picture if min(picture.getSize()) > 0 else None
    except Exception:  # noqa: BLE001 - whatever is wrong with a picture, Pillow may raise anything.
        return None


def _amount(amount_idr: int) -> str:
    return f"-{format_rupiah(-amount_idr)}" if amount_idr < 0 else format_rupiah(amount_idr)


def _readable(number: str) -> str:
    """ "0812-3456-7890" for a number as WhatsApp has it."""
    known = normalise_phone(number)
    if known is None or not known.startswith("62"):
        return number
    local = f"0{known[2:]}"
    return "-".join(filter(None, (local[:4], local[4:8], local[8:])))


def _npwp(body: InvoiceBody) -> str:
    return f"NPWP {body.shop_npwp}" if body.shop_npwp else ""


def _date(moment: datetime) -> str:
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def main() -> int:
    """0, or 1 with the reason on standard error."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    try:
        body = InvoiceBody.from_json(json.loads(sys.stdin.buffer.read(LARGEST_INPUT)))
        made = pdf(body)
    except (KeyError, TypeError, ValueError) as exc:
        # The content holds a name and an address, so it is not repeated.
        print(f"this is no stored invoice: {type(exc).__name__}", file=sys.stderr)
        return 1
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
