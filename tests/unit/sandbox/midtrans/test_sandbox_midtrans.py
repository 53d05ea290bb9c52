"""The Midtrans stand-in, spoken to by Midtrans's own client library and listened to as a merchant would."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import midtransclient
import pytest
from aiohttp import ClientSession, encode_basic_auth, web
from midtransclient.error_midtrans import JSONDecodeError, MidtransAPIError

from sandbox.midtrans import MidtransServer, Mode
from sandbox.midtrans.courier import retries_after
from sandbox.midtrans.faults import Target
from sandbox.midtrans.methods import METHODS
from sandbox.midtrans.qris import text as qris_text


class Merchant:
    """A shop's server: keeps what it is told, answers with ``status``."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.status = 200
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.told.append(json.loads(await request.read()))
        return web.Response(status=self.status)

    @property
    def statuses(self) -> list[str]:
        return [body["transaction_status"] for body in self.told]


@pytest.fixture
async def merchant() -> AsyncIterator[Merchant]:
    made = Merchant()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield made
    await runner.cleanup()


@pytest.fixture
async def midtrans(merchant: Merchant) -> AsyncIterator[MidtransServer]:
    async with MidtransServer(notify_url=merchant.url, minute_s=0.001) as server:
        yield server


def _clients(midtrans: MidtransServer, key: str | None = None) -> tuple[Any, Any]:
    key = key or midtrans.environment["MIDTRANS_SERVER_KEY"]
    snap = midtransclient.Snap(server_key=key, custom_headers={})
    snap.api_config.SNAP_SANDBOX_BASE_URL = midtrans.environment["MIDTRANS_SNAP_URL"]
    core = midtransclient.CoreApi(server_key=key, custom_headers={})
    core.api_config.CORE_SANDBOX_BASE_URL = midtrans.environment["MIDTRANS_API_URL"]
    return snap, core


def _request(order_id: str = "B7Q2-1", amount: int = 60_000, **more: Any) -> dict[str, Any]:
    return {
        "transaction_details": {"order_id": order_id, "gross_amount": amount},
        "item_details": [{"id": "RS1", "price": amount, "quantity": 1, "name": "Roti sobek"}],
        **more,
    }


async def _create(midtrans: MidtransServer, **more: Any) -> dict[str, Any]:
    snap, _ = _clients(midtrans)
    return dict(await asyncio.to_thread(snap.create_transaction, _request(**more)))


async def _status(midtrans: MidtransServer, order_id: str = "B7Q2-1") -> dict[str, Any]:
    _, core = _clients(midtrans)
    return dict(await asyncio.to_thread(core.transactions.status, order_id))


async def test_a_page_is_made_paid_and_told_of_with_a_valid_signature(
    midtrans: MidtransServer, merchant: Merchant
) -> None:
    made = await _create(midtrans)
    assert made["redirect_url"].endswith(made["token"])
    await midtrans.pay("B7Q2-1", "qris")
    await midtrans.delivered()
    assert merchant.statuses == ["pending", "settlement"]
    paid = merchant.told[-1]
    key = midtrans.environment["MIDTRANS_SERVER_KEY"]
    signed = f"{paid['order_id']}{paid['status_code']}{paid['gross_amount']}{key}"
    assert paid["signature_key"] == hashlib.sha512(signed.encode()).hexdigest()
    assert (paid["gross_amount"], paid["status_code"], paid["fraud_status"]) == ("60000.00", "200", "accept")
    answer = await _status(midtrans)
    assert answer["transaction_status"] == "settlement"
    assert answer["transaction_id"] == paid["transaction_id"]


@pytest.mark.parametrize("name", METHODS)
async def test_every_way_to_pay_ends_paid(midtrans: MidtransServer, merchant: Merchant, name: str) -> None:
    await _create(midtrans)
    await midtrans.pay("B7Q2-1", name)
    await midtrans.delivered()
    assert merchant.statuses[-1] == METHODS[name].pays_by
    assert ("fraud_status" in merchant.told[-1]) == METHODS[name].has_fraud_status
    assert merchant.told[-1]["payment_type"] == METHODS[name].payment_type


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"item_details": [{"price": 1, "quantity": 1, "name": "x"}]}, "not equal to the sum"),
        ({"transaction_details": {"order_id": "a/../b", "gross_amount": 60_000}}, "unallowed symbols"),
        ({"transaction_details": {"order_id": "x" * 51, "gross_amount": 60_000}}, "order_id too long"),
        ({"transaction_details": {"order_id": "x", "gross_amount": "60000"}}, "is not a number"),
        ({"transaction_details": {"order_id": "x", "gross_amount": 0}}, "greater than"),
        ({"item_details": [{"price": 60_000, "quantity": 1, "name": "x" * 51}]}, "name too long"),
        ({"page_expiry": {"unit": "days", "duration": 8}}, "maximum of 7 days"),
        ({"expiry": {"start_time": "2026-10-01", "unit": "days", "duration": 1}}, "start_time format"),
    ],
)
async def test_snap_names_what_is_wrong_with_a_request(
    midtrans: MidtransServer, change: dict[str, Any], words: str
) -> None:
    snap, _ = _clients(midtrans)
    with pytest.raises(MidtransAPIError, match=words) as caught:
        await asyncio.to_thread(snap.create_transaction, {**_request(), **change})
    assert caught.value.http_status_code == 400


async def test_an_order_id_makes_one_page_only(midtrans: MidtransServer) -> None:
    await _create(midtrans)
    with pytest.raises(MidtransAPIError, match="already been taken"):
        await _create(midtrans)


async def test_another_key_opens_nothing(midtrans: MidtransServer) -> None:
    snap, core = _clients(midtrans, key="SB-Mid-server-lain")
    for call in (lambda: snap.create_transaction(_request()), lambda: core.transactions.status("B7Q2-1")):
        with pytest.raises(MidtransAPIError) as caught:
            await asyncio.to_thread(call)
        assert caught.value.http_status_code == 401


@pytest.mark.parametrize("inside", [False, True])
async def test_nothing_is_known_before_a_method_was_picked(midtrans: MidtransServer, inside: bool) -> None:
    midtrans.api.is_missing_inside_200 = inside
    await _create(midtrans)
    with pytest.raises(MidtransAPIError) as caught:
        await _status(midtrans)
    assert caught.value.http_status_code == (200 if inside else 404)
    assert caught.value.api_response_dict["status_code"] == "404"


async def test_what_expired_is_told_and_asked_for_under_other_codes(
    midtrans: MidtransServer, merchant: Merchant
) -> None:
    await _create(midtrans)
    await midtrans.pick("B7Q2-1", "bca_va")
    await midtrans.expire("B7Q2-1")
    await midtrans.delivered()
    assert (merchant.told[-1]["transaction_status"], merchant.told[-1]["status_code"]) == ("expire", "202")
    assert (await _status(midtrans))["status_code"] == "407"


async def test_a_method_expires_by_itself(midtrans: MidtransServer, merchant: Merchant) -> None:
    await _create(midtrans)
    transaction = midtrans.transaction("B7Q2-1")
    transaction.expires = transaction.created
    await midtrans.pick("B7Q2-1", "qris")
    await midtrans.until(lambda: transaction.status == "expire")
    await midtrans.delivered()
    assert merchant.statuses == ["pending", "expire"]


async def test_refunds_add_up_and_end(midtrans: MidtransServer, merchant: Merchant) -> None:
    await _create(midtrans)
    await midtrans.pay("B7Q2-1")
    _, core = _clients(midtrans)
    await asyncio.to_thread(core.transactions.refund, "B7Q2-1", {"amount": 10_000, "refund_key": "a"})
    await midtrans.refund("B7Q2-1")
    await midtrans.delivered()
    told = {body["transaction_status"]: body.get("refund_amount") for body in merchant.told}
    assert told["partial_refund"] == "10000.00"
    assert told["refund"] == "60000.00"
    with pytest.raises(MidtransAPIError, match="cannot be updated"):
        await asyncio.to_thread(core.transactions.refund, "B7Q2-1", {"amount": 1})


async def test_a_fee_raises_the_amount_and_names_the_price(midtrans: MidtransServer) -> None:
    await _create(midtrans)
    await midtrans.pay("B7Q2-1", fee_idr=4_000)
    answer = await _status(midtrans)
    assert answer["gross_amount"] == "64000.00"
    assert answer["metadata"]["extra_info"]["gross_amount_info"]["original_amount"] == "60000.00"


async def test_reports_lie_on_command_and_stay_validly_signed(
    midtrans: MidtransServer, merchant: Merchant
) -> None:
    await _create(midtrans)
    midtrans.alter("B7Q2-1", notified=False, gross_amount="1.00", merchant_id="G9", currency="USD")
    await midtrans.pay("B7Q2-1")
    answer = await _status(midtrans)
    assert (answer["gross_amount"], answer["merchant_id"], answer["currency"]) == ("1.00", "G9", "USD")
    await midtrans.delivered()
    assert merchant.told[-1]["gross_amount"] == "60000.00"
    midtrans.forge("B7Q2-1", transaction_status="settlement", transaction_id="lain")
    midtrans.desk.in_capitals = True
    midtrans.notify("B7Q2-1")
    await midtrans.delivered()
    assert "SETTLEMENT" in merchant.statuses


async def test_notifications_come_twice_reversed_or_never_on_command(
    midtrans: MidtransServer, merchant: Merchant
) -> None:
    await _create(midtrans)
    midtrans.hold_notifications()
    await midtrans.pay("B7Q2-1", "bni_va")
    midtrans.release_notifications(reverse=True)
    await midtrans.delivered()
    assert merchant.statuses == ["settlement", "pending"]
    midtrans.duplicate_notifications(3)
    midtrans.notify("B7Q2-1")
    await midtrans.delivered()
    assert len(merchant.told) == 5
    midtrans.drop_notifications(1)
    midtrans.notify("B7Q2-1")
    midtrans.press_test_button()
    await midtrans.delivered()
    assert len(merchant.told) == 8
    assert merchant.told[-1]["order_id"].startswith("payment_notif_test_G000000000_")


@pytest.mark.parametrize(("status", "attempts"), [(200, 1), (500, 2), (404, 3), (503, 5), (403, 6)])
async def test_a_refused_notification_is_tried_again_by_midtrans_rules(
    midtrans: MidtransServer, merchant: Merchant, status: int, attempts: int
) -> None:
    midtrans.courier.minute_s = 0.0
    merchant.status = status
    midtrans.press_test_button()
    await midtrans.delivered()
    assert len(merchant.told) == attempts == 1 + retries_after(status)
    assert midtrans.deliveries[0].answers == [status] * attempts


async def test_requests_hang_break_and_lose_their_answers_on_command(midtrans: MidtransServer) -> None:
    await _create(midtrans)
    await midtrans.pay("B7Q2-1")
    midtrans.break_down(Mode.HTML, Target.STATUS, times=1)
    with pytest.raises(JSONDecodeError):
        await _status(midtrans)
    midtrans.break_down(Mode.BROKEN, Target.STATUS)
    with pytest.raises(MidtransAPIError):
        await _status(midtrans)
    midtrans.mend()
    assert (await _status(midtrans))["transaction_status"] == "settlement"
    midtrans.break_down(Mode.LOST, Target.SNAP, times=1, delay_s=0.05)
    with pytest.raises(MidtransAPIError):
        await _create(midtrans, order_id="B7Q2-2")
    # The page is there all the same, and can be paid.
    await midtrans.pay("B7Q2-2")
    assert midtrans.transaction("B7Q2-2").is_paid


async def test_a_cancelled_token_takes_no_payment(midtrans: MidtransServer) -> None:
    made = await _create(midtrans)
    key = midtrans.environment["MIDTRANS_SERVER_KEY"]
    async with ClientSession() as session:
        cancel = f"{midtrans.environment['MIDTRANS_SNAP_URL']}/transactions/{made['token']}/cancel"
        async with session.post(cancel, headers={"Authorization": encode_basic_auth(key, "")}) as answer:
            assert answer.status == 200
        async with session.post(f"{made['redirect_url']}/pick", json={"method": "qris"}) as answer:
            assert answer.status == 409
    assert midtrans.transaction("B7Q2-1").status == ""


async def test_the_pages_buttons_pay_by_what_is_enabled_and_nothing_else(midtrans: MidtransServer) -> None:
    made = await _create(midtrans, enabled_payments=["other_qris", "bca_va", "credit_card"])
    async with ClientSession() as session:
        page = made["redirect_url"]
        async with session.get(page) as answer:
            assert answer.status == 200
        async with session.get(f"{page}/state") as answer:
            told = await answer.json()
        assert [method["name"] for method in told["methods"]] == ["qris", "bca_va", "credit_card"]
        async with session.post(f"{page}/pick", json={"method": "dana"}) as answer:
            assert answer.status == 409
        async with session.post(f"{page}/pick", data={"method": "qris"}) as answer:
            assert answer.status == 415
        async with session.post(f"{page}/pick", json={"method": "credit_card"}) as answer:
            assert (await answer.json())["status"] == ""
        async with session.post(f"{page}/deny", json={}) as answer:
            assert (await answer.json())["status"] == "deny"
        async with session.post(f"{page}/pick", json={"method": "bca_va"}) as answer:
            number = (await answer.json())["details"]["va_numbers"][0]["va_number"]
        assert number.isdecimal()
        async with session.post(f"{page}/pay", json={}) as answer:
            assert (await answer.json())["paid"] is True
        async with session.post(f"{page}/pay", json={}) as answer:
            assert answer.status == 409


async def test_a_qris_charge_gives_a_picture_of_its_code(midtrans: MidtransServer) -> None:
    _, core = _clients(midtrans)
    made = await asyncio.to_thread(core.charge, {"payment_type": "qris", **_request()})
    assert (made["transaction_status"], made["gross_amount"]) == ("pending", "60000.00")
    async with ClientSession() as session, session.get(made["actions"][0]["url"]) as answer:
        assert (await answer.read()).startswith(b"\x89PNG")
    with pytest.raises(MidtransAPIError) as caught:
        await asyncio.to_thread(core.charge, {"payment_type": "qris", **_request()})
    assert caught.value.http_status_code == 406


async def test_who_clicks_the_address_of_a_code_can_pay_it_in_his_browser(midtrans: MidtransServer) -> None:
    _, core = _clients(midtrans)
    made = await asyncio.to_thread(core.charge, {"payment_type": "qris", **_request()})
    assert made["qr_string"] == midtrans.code_of("B7Q2-1")
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    async with ClientSession() as session:
        async with session.get(made["actions"][0]["url"], headers=browser) as answer:
            page = str(answer.url)
            assert "<html" in await answer.text()
        assert page == midtrans.page_of("B7Q2-1")
        async with session.get(f"{page}/state") as answer:
            told = await answer.json()
        assert (told["method"]["name"], [one["name"] for one in told["methods"]]) == ("qris", ["qris"])
        async with session.post(f"{page}/pay", json={}) as answer:
            assert (await answer.json())["paid"] is True
    assert midtrans.transaction("B7Q2-1").status == "settlement"


def test_the_qris_checksum_is_that_of_the_standard() -> None:
    # The check value of CRC-16/CCITT-FALSE for "123456789" is 29B1.
    from sandbox.midtrans.qris import _checksum

    assert _checksum(b"123456789") == 0x29B1
    assert qris_text(merchant="Toko", amount_idr=1, reference="x")[-8:-4] == "6304"
