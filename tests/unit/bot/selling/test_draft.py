"""What comes next for an order, whatever is known of it so far."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from billing.catalogue import CatalogueItem
from billing.shipping import Rate
from bot.selling.draft import Draft, Step, advanced, needs_for, with_shipping
from store.orders import Line, LineKind, Method

GOODS = CatalogueItem(
    code="LAN", name="Kabel LAN", price_idr=95_000, needs=("nama penerima", "alamat kirim"), row=2
)
SERVICE = CatalogueItem(code="IH20", name="Paket", price_idr=250_000, needs=("alamat lengkap",), row=3)
RATES = (Rate(area="Klaten", cost_idr=10_000, free_from_idr=300_000),)
BOTH = (Method.MIDTRANS, Method.TRANSFER)


def draft(item: CatalogueItem = GOODS, quantity: int = 1, **details: str) -> Draft:
    lines = (
        Line(
            kind=LineKind.ITEM,
            code=item.code,
            name=item.name,
            quantity=quantity,
            unit_idr=item.price_idr,
        ),
    )
    told = {key.replace("_", " "): value for key, value in details.items()}
    return Draft(lines=lines, details=told, method=None, needs=needs_for(lines, [GOODS, SERVICE]))


def step(of: Draft, methods: tuple[Method, ...] = BOTH) -> tuple[Step, Draft]:
    return advanced(of, rates=RATES, methods=methods, shipping_name="Ongkir")


def test_what_the_row_asks_comes_first() -> None:
    assert step(draft())[0] is Step.DETAIL
    assert step(draft(nama_penerima="Budi"))[0] is Step.DETAIL


def test_a_known_area_is_added_and_an_unknown_one_is_asked_of_a_person() -> None:
    found, after = step(draft(nama_penerima="Budi", alamat_kirim="Jl. 2, Klaten"))
    assert (found, after.total_idr) == (Step.METHOD, 105_000)
    found, after = step(draft(nama_penerima="Budi", alamat_kirim="Jl. 2, Sorong"))
    assert (found, after.shipping) == (Step.SHIPPING, None)


def test_an_address_that_nothing_is_sent_to_costs_no_shipping() -> None:
    found, after = step(draft(SERVICE, alamat_lengkap="Jl. 2, Sorong"))
    assert (found, after.shipping) == (Step.METHOD, None)


def test_shipping_is_added_once_and_an_admins_figure_stays() -> None:
    known = draft(nama_penerima="Budi", alamat_kirim="Jl. 2, Klaten")
    by_admin = with_shipping(known, 85_000, name="Ongkir")
    _, after = step(by_admin)
    assert [line.unit_idr for line in after.lines if line.kind is LineKind.SHIPPING] == [85_000]


def test_the_only_way_to_pay_is_taken_and_none_is_for_a_person() -> None:
    known = draft(SERVICE, alamat_lengkap="Jl. 2, Sorong")
    assert step(known, (Method.TRANSFER,))[0] is Step.TRANSFER
    assert step(known, (Method.MIDTRANS,))[0] is Step.LINK
    assert step(known, ())[0] is Step.NO_METHOD
    assert step(replace(known, method=Method.TRANSFER))[0] is Step.TRANSFER


@given(
    st.sampled_from([GOODS, SERVICE]),
    st.integers(1, 999),
    st.sampled_from(["", "Budi"]),
    st.sampled_from(["", "Jl. 2, Klaten", "Jl. 2, Sorong", "ambil di toko"]),
    st.sampled_from([(), (Method.TRANSFER,), BOTH]),
)
def test_going_on_twice_is_going_on_once_and_the_total_is_that_of_the_lines(
    item: CatalogueItem, quantity: int, name: str, address: str, methods: tuple[Method, ...]
) -> None:
    told = {"nama_penerima": name, "alamat_kirim": address, "alamat_lengkap": address}
    first, after = step(
        draft(item, quantity, **{key: value for key, value in told.items() if value}), methods
    )
    again, same = step(after, methods)
    assert (again, same) == (first, after)
    assert after.total_idr == sum(line.quantity * line.unit_idr for line in after.lines)
    assert after.items == draft(item, quantity).items
