"""Amounts of other money than rupiah."""

from __future__ import annotations

from decimal import Decimal

import pytest

from rag.foreign_money import foreign_amounts_in


@pytest.mark.parametrize(
    ("prose", "found"),
    [
        ("$10", ("usd", "10")),
        ("about $ 10.", ("usd", "10")),
        ("US$ 1,000.50", ("usd", "1000.50")),
        ("USD 10", ("usd", "10")),
        ("usd10", ("usd", "10")),
        ("15 dollars", ("usd", "15")),
        ("15 dolar", ("usd", "15")),
        ("S$15", ("sgd", "15")),
        ("RM 20", ("myr", "20")),
        ("RM20", ("myr", "20")),
        ("20 ringgit", ("myr", "20")),
        ("€5", ("eur", "5")),
        ("5 euro", ("eur", "5")),
    ],
)
def test_an_amount_is_found_however_it_is_written(prose: str, found: tuple[str, str]) -> None:
    assert foreign_amounts_in(prose) == {(found[0], Decimal(found[1]))}


@pytest.mark.parametrize(
    "prose",
    ["Rp150.000", "150rb", "20 arm", "RM Padang 20 meter dari sini", "alarm 20", "USB 3", "IH20", "5 kg"],
)
def test_rupiah_and_other_numbers_are_none(prose: str) -> None:
    assert foreign_amounts_in(prose) == set()
