"""The picture of a QRIS code, as a customer scans it from the chat or uploads it from his gallery."""

from __future__ import annotations

import io

from store.attachments import Document

FILENAME = "qris.png"
# A module is so many pixels: on a phone's screen another phone reads it from an arm's length.
_SCALE = 10
# The light border that the standard wants; readers find no code without it.
_BORDER = 4


def picture(code: str) -> Document:
    """The code's text as a PNG. Takes tens of milliseconds, so off the event loop.

    Raises ValueError for a text that is too long for any code.
    """
    # Most of what the bot says needs no picture, and the library stays out of it until then.
    import segno

    made = io.BytesIO()
    # "M", which mends 15%: what screens and lossy copies of the picture take away.
    segno.make_qr(code, error="m").save(made, kind="png", scale=_SCALE, border=_BORDER)
    return Document(data=made.getvalue(), filename=FILENAME, mimetype="image/png")
