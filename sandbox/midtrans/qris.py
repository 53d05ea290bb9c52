"""What stands in a QRIS code: fields of tag, length and value, closed by a checksum. Pure."""

from __future__ import annotations

_POLYNOMIAL = 0x1021


def text(*, merchant: str, amount_idr: int, reference: str) -> str:
    """The code's text; any QRIS reader takes it apart, and no bank knows this merchant."""
    body = "".join(
        (
            _field("00", "01"),
            _field("01", "12"),  # for one payment only
            _field("26", _field("00", "ID.CO.SANDBOX.WWW") + _field("01", "93600914000000000")),
            _field("52", "5999"),
            _field("53", "360"),
            _field("54", str(amount_idr)),
            _field("58", "ID"),
            _field("59", merchant.encode("ascii", "ignore").decode()[:25] or "TOKO"),
            _field("60", "JAKARTA"),
            _field("62", _field("01", reference[:25])),
            "6304",
        )
    )
    return f"{body}{_checksum(body.encode()):04X}"


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02d}{value}"


def _checksum(data: bytes) -> int:
    """CRC-16 as the standard wants it: CCITT, beginning with all ones."""
    register = 0xFFFF
    for byte in data:
        register ^= byte << 8
        for _ in range(8):
            register = ((register << 1) ^ _POLYNOMIAL if register & 0x8000 else register << 1) & 0xFFFF
    return register
