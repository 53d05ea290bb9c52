"""Which way of paying a message chooses."""

from __future__ import annotations

import pytest

from billing.methods import MIDTRANS, TRANSFER, chosen

BOTH = (MIDTRANS, TRANSFER)
BANKS = ("BCA", "BRI")


@pytest.mark.parametrize(
    ("text", "method"),
    [
        ("1", MIDTRANS),
        ("2", TRANSFER),
        ("yang 2 aja kak", TRANSFER),
        ("qris", MIDTRANS),
        ("pakai gopay ya", MIDTRANS),
        ("lewat link aja", MIDTRANS),
        ("va bca", MIDTRANS),
        ("virtual account", MIDTRANS),
        ("transfer", TRANSFER),
        ("tf bca kak", TRANSFER),
        ("transfer bank aja", TRANSFER),
        ("BRI", TRANSFER),
        ("3", None),
        ("0", None),
        ("01", MIDTRANS),
        ("002 aja", TRANSFER),
        ("0012", None),
        ("0013", None),
        ("10", None),
        ("²", TRANSFER),
        ("9" * 600, None),
        ("transfer bisa?", None),
        ("sudah transfer", None),
        ("transfer kemana", None),
        ("cod", None),
        ("", None),
    ],
)
def test_a_method(text: str, method: str | None) -> None:
    assert chosen(text, BOTH, BANKS) == method


def test_what_the_shop_does_not_offer_is_not_chosen() -> None:
    assert chosen("qris", (TRANSFER,), BANKS) is None
    assert chosen("1", (TRANSFER,), BANKS) == TRANSFER
