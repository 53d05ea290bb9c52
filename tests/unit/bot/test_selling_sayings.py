"""What customers read when they are told how to pay."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.selling.sayings import Link, Sayings
from config.shop import BankAccount, Shop
from config.wording import Wording
from store.orders import Line, LineKind

SHOP = Shop(nama="Toko Roti", rekening=(BankAccount(bank="BCA", nomor="123", atas_nama="Ani"),))
LINES = (Line(kind=LineKind.ITEM, code="RS1", name="Roti sobek", quantity=3, unit_idr=28_000),)
LINK = Link(url="https://bayar.example/1", expires_ms=4_000_000_000_000)


@pytest.mark.parametrize("number", ["", "081190000003"])
def test_another_number_that_the_invoice_comes_from_is_named_beside_the_way_to_pay(
    tmp_path: Path, number: str
) -> None:
    sayings = Sayings(wording=Wording.load(tmp_path, SHOP), shop=SHOP)
    for told in (
        sayings.link(LINES, 84_000, LINK, other_number=number),
        sayings.transfer(LINES, 84_000, other_number=number),
    ):
        assert ("nomor kami" in told) is bool(number)
        assert number in told
        assert "Rp84.000" in told
