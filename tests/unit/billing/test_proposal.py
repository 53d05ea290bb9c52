"""A basket is computed from the list alone, or refused with a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.catalogue import CatalogueItem
from billing.menu import Pick
from billing.proposal import MAX_QUANTITY, Basket, Problem, Refusal, basket, listed

ITEMS = (
    CatalogueItem(code="IH20", name="Paket 20 Mbps", price_idr=250_000, unit="bulan", row=2),
    CatalogueItem(code="RT1", name="Router " + "A" * 60, price_idr=185_000, stock=3, row=3),
    CatalogueItem(code="HABIS", name="Router habis", price_idr=100, stock=0, row=4),
    CatalogueItem(code="MATI", name="Tidak dijual", price_idr=100, active=False, row=5),
)


def made(*picks: tuple[str, int]) -> Basket | Refusal:
    return basket([Pick(code=code, quantity=quantity) for code, quantity in picks], ITEMS)


def test_lines_and_total_come_from_the_list() -> None:
    found = made(("IH20", 3))
    assert isinstance(found, Basket)
    assert found.total_idr == 750_000
    assert listed(found.lines) == "3x Paket 20 Mbps"


def test_several_lines_are_listed_with_what_each_comes_to() -> None:
    found = made(("ih20", 1), ("RT1", 2))
    assert isinstance(found, Basket)
    assert listed(found.lines) == "• 1x Paket 20 Mbps: Rp250.000\n• 2x Router " + "A" * 43 + ": Rp370.000"
    assert all(len(line.name) <= 50 for line in found.lines)


def test_the_same_item_twice_is_one_line() -> None:
    found = made(("IH20", 1), ("IH20", 2))
    assert isinstance(found, Basket)
    assert [line.quantity for line in found.lines] == [3]


@pytest.mark.parametrize(
    ("picks", "problem"),
    [
        ([("KARANGAN", 1)], Problem.UNKNOWN),
        ([("MATI", 1)], Problem.UNKNOWN),
        ([], Problem.UNKNOWN),
        ([("HABIS", 1)], Problem.SOLD_OUT),
        ([("RT1", 4)], Problem.SHORT),
        ([("IH20", 0)], Problem.QUANTITY),
        ([("IH20", -1)], Problem.QUANTITY),
        ([("IH20", 10_000)], Problem.QUANTITY),
        ([("IH20", 500), ("IH20", 500)], Problem.QUANTITY),
        ([("IH20", 1), ("KARANGAN", 1)], Problem.UNKNOWN),
    ],
)
def test_what_cannot_be_proposed_says_why(picks: list[tuple[str, int]], problem: Problem) -> None:
    found = made(*picks)
    assert isinstance(found, Refusal)
    assert found.problem is problem


def test_too_much_money_is_for_a_person() -> None:
    dear = (CatalogueItem(code="A", name="A", price_idr=1_000_000, row=2),)
    assert basket([Pick(code="A", quantity=999)], dear) == Refusal(problem=Problem.TOO_MUCH)


@given(
    st.lists(
        st.tuples(st.sampled_from([item.code for item in ITEMS] + ["X"]), st.integers(-5, 2_000)), max_size=6
    )
)
def test_every_basket_adds_up_and_keeps_the_lists_prices(picks: list[tuple[str, int]]) -> None:
    found = made(*picks)
    if isinstance(found, Basket):
        prices = {item.code: item.price_idr for item in ITEMS}
        assert found.total_idr == sum(line.quantity * prices[line.code] for line in found.lines)
        assert all(1 <= line.quantity <= MAX_QUANTITY for line in found.lines)
