"""Notifications by somebody who has no key, or with something else in them than was asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from billing.signature import is_signed, signature_of
from sandbox.midtrans import MidtransServer
from store import attempts
from store.orders import State
from tests.integration.payments.shop import PaymentShop


async def untouched(shop: PaymentShop, order_id: str) -> None:
    assert await shop.state(order_id) is State.PENDING
    assert await shop.invoice_numbers() == []


@pytest.mark.parametrize(
    "signature",
    [None, "", "0" * 128, 5, ["a"], "\ud800", "x" * 100_00],
    ids=["none", "empty", "zeros", "number", "list", "half a character", "long"],
)
async def test_a_wrong_or_missing_signature_is_refused_and_leaves_no_row(
    shop: PaymentShop, midtrans: MidtransServer, signature: Any
) -> None:
    attempt = await shop.linked()
    midtrans.drop_notifications()
    await midtrans.pay(attempt.id, "qris")
    body = {**midtrans.desk.notification(midtrans.transaction(attempt.id)), "signature_key": signature}
    if signature is None:
        del body["signature_key"]
    assert await shop.notify(body) == 403
    assert await shop.events() == []
    await untouched(shop, attempt.order_id)


async def test_a_signature_in_capitals_is_as_good(shop: PaymentShop, midtrans: MidtransServer) -> None:
    attempt = await shop.linked()
    midtrans.drop_notifications()
    await midtrans.pay(attempt.id, "qris")
    body = midtrans.desk.notification(midtrans.transaction(attempt.id))
    assert await shop.notify({**body, "signature_key": body["signature_key"].upper()}) == 200


async def test_a_replay_with_another_status_pays_nothing(shop: PaymentShop, midtrans: MidtransServer) -> None:
    """The signature leaves out the status: with a code of 200 anybody who saw one could alter it."""
    attempt = await shop.linked()
    await midtrans.pick(attempt.id, "bca_va")
    await shop.confirmed()
    pending = midtrans.deliveries[-1].body
    replayed = {**pending, "transaction_status": "settlement", "fraud_status": "accept"}
    assert await shop.notify(replayed) == 200
    await shop.confirmed()
    await untouched(shop, attempt.order_id)


@pytest.mark.parametrize(
    "order_id", ["../../v2/B1-1", "B1-1/../B2-1", "a b", "x" * 200, "é", "B1\x00", "%2e%2e"]
)
async def test_an_id_that_is_none_of_ours_is_taken_and_never_asked_about(
    shop: PaymentShop, midtrans: MidtransServer, order_id: str
) -> None:
    body = shop.signed(
        order_id=order_id, status_code="200", gross_amount="1.00", transaction_status="settlement"
    )
    assert await shop.notify(body) == 200
    await shop.confirmed()
    assert await shop.events() == [("done", "no_attempt")]
    assert midtrans.api.requests["status"] == 0


@pytest.mark.parametrize(
    ("altered", "told"),
    [
        ({"gross_amount": "1000.00"}, "gross_amount"),
        ({"gross_amount": "770000.01"}, "gross_amount"),
        ({"currency": "USD"}, "currency"),
        ({"merchant_id": "G999999999"}, "merchant_id"),
        ({"order_id": "B000000000-1"}, "order_id"),
    ],
)
async def test_a_payment_of_something_else_changes_nothing_and_is_told_once(
    shop: PaymentShop, midtrans: MidtransServer, altered: dict[str, str], told: str
) -> None:
    attempt = await shop.linked()
    midtrans.alter(attempt.id, notified=False, **altered)
    await midtrans.pay(attempt.id, "qris")
    midtrans.notify(attempt.id, again="1")
    await shop.confirmed()
    await untouched(shop, attempt.order_id)
    (notice,) = await shop.told()
    assert "Tidak cocok" in notice
    assert told in notice
    assert (await shop.attempt(attempt.id)).state is attempts.State.OPEN


async def test_a_fee_that_the_customer_pays_on_top_is_no_mismatch(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    attempt = await shop.linked()
    await midtrans.pay(attempt.id, "qris", fee_idr=5_390)
    await shop.confirmed()
    assert midtrans.deliveries[-1].body["gross_amount"] == "775390.00"
    assert await shop.state(attempt.order_id) is State.PAID
    invoice = await shop.invoice(attempt.order_id)
    assert invoice is not None
    assert invoice.body["total_idr"] == 770_000


async def test_the_dashboards_test_button_is_answered_well_and_has_no_effect(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    midtrans.press_test_button()
    await shop.confirmed()
    assert midtrans.deliveries[-1].answers == [200]
    assert await shop.told() == []
    assert await shop.invoice_numbers() == []


async def test_another_accounts_attempt_is_answered_like_one_that_does_not_exist(
    shop: PaymentShop, midtrans: MidtransServer
) -> None:
    body = shop.signed(order_id="B000000000-1", status_code="200", gross_amount="770000.00")
    assert await shop.notify(body) == 200
    await shop.confirmed()
    assert await shop.events() == [("done", "no_attempt")]


FIELDS = ("order_id", "status_code", "gross_amount", "transaction_status", "transaction_id", "currency")
_TRUE = {
    "order_id": "B123456789-1",
    "status_code": "200",
    "gross_amount": "770000.00",
    "transaction_status": "settlement",
    "transaction_id": "5e0f",
    "currency": "IDR",
}


@given(st.sampled_from(FIELDS[:3]), st.one_of(st.text(max_size=30), st.integers(), st.none(), st.booleans()))
def test_no_altered_field_of_the_three_passes_for_signed(name: str, value: Any) -> None:
    key = "SB-Mid-server-x"
    true = {**_TRUE, "signature_key": signature_of("B123456789-1", "200", "770000.00", key)}
    assert is_signed(true, key)
    if value != _TRUE[name]:
        assert not is_signed({**true, name: value}, key)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    altered=st.dictionaries(
        st.sampled_from([*FIELDS, "signature_key", "merchant_id", "fraud_status", "payment_type"]),
        st.one_of(
            st.text(max_size=40),
            st.integers(-(10**9), 10**12).map(str),
            st.sampled_from(["settlement", "capture", "refund", "cancel", "200", "1.00", "IDR", "accept"]),
            st.none(),
            st.integers(),
            st.lists(st.integers(), max_size=3),
        ),
        min_size=1,
        max_size=4,
    )
)
async def test_no_altered_notification_of_an_unpaid_order_changes_anything(
    hypothesis_shop: PaymentShop, altered: dict[str, Any]
) -> None:
    """Signed anew wherever the altered fields can be: as if somebody had the key."""
    shop, midtrans = hypothesis_shop, hypothesis_shop.midtrans
    attempt = await shop.linked()
    midtrans.drop_notifications()
    await midtrans.pick(attempt.id, "bca_va")
    true = midtrans.desk.notification(midtrans.transaction(attempt.id))
    body = {**true, **altered}
    signable = all(isinstance(body.get(name), str) for name in FIELDS[:3])
    sent = [body, shop.signed(**body)] if signable else [body]
    before = await shop.invoice_numbers()
    for one in sent:
        assert await shop.notify(json.dumps(one).encode()) in (200, 403)
    await shop.confirmed()
    assert await shop.state(attempt.order_id) is State.PENDING
    assert await shop.invoice_numbers() == before == []


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=300), st.text(max_size=200).map(lambda text: json.dumps(text).encode())))
async def test_no_bytes_at_all_get_past_the_door_or_break_it(
    hypothesis_shop: PaymentShop, body: bytes
) -> None:
    assert await hypothesis_shop.notify(body) in (400, 403)
    assert await hypothesis_shop.events() == []


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from([*FIELDS, "signature_key", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
            lambda children: st.lists(children, max_size=3),
            max_leaves=5,
        ),
    )
)
async def test_no_json_object_without_a_true_signature_gets_in(
    hypothesis_shop: PaymentShop, body: dict[str, Any]
) -> None:
    assert await hypothesis_shop.notify(json.dumps(body).encode()) == 403
    assert await hypothesis_shop.events() == []
