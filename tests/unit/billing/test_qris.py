"""The picture of a QRIS code holds exactly the code, with the border that readers want."""

from __future__ import annotations

import io

import pytest
import segno
from PIL import Image

from billing import qris
from sandbox.midtrans.qris import text

CODE = text(merchant="Toko Uji", amount_idr=250_000, reference="a3f1c0de-0000-4000-8000-000000000000")


def modules(png: bytes) -> list[list[int]]:
    """The picture's modules, one number each: 1 is dark; the border is cut off."""
    image = Image.open(io.BytesIO(png)).convert("L")
    assert image.width == image.height
    side = image.width // 10
    dark = [[int(image.getpixel((x * 10 + 5, y * 10 + 5)) < 128) for x in range(side)] for y in range(side)]  # type: ignore[operator] # one channel.
    assert not any(any(row[:4]) or any(row[-4:]) for row in dark)
    assert not any(any(row) for row in (*dark[:4], *dark[-4:]))
    return [row[4:-4] for row in dark[4:-4]]


def test_it_is_a_png_of_that_code_in_a_light_border() -> None:
    picture = qris.picture(CODE)
    assert (picture.filename, picture.mimetype) == ("qris.png", "image/png")
    assert modules(picture.data) == [list(row) for row in segno.make_qr(CODE, error="m").matrix]
    assert modules(picture.data) != modules(qris.picture(CODE[:-1] + "X").data)


def test_it_is_small_enough_to_be_sent_and_large_enough_to_be_scanned() -> None:
    picture = qris.picture(CODE)
    assert len(picture.data) < 20_000
    assert Image.open(io.BytesIO(picture.data)).width >= 500


def test_a_text_that_fits_no_code_is_an_error_that_the_caller_knows() -> None:
    with pytest.raises(ValueError, match="too large"):
        qris.picture("x" * 5000)
