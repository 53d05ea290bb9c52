"""What paying adds to the page: messages from another number, and the switches of Midtrans and Starsender."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import ClientSession, encode_basic_auth

from sandbox.starsender import Sent, StarsenderServer
from tests.integration.phone.browser import BUDI, PATIENCE_S, Browser

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def _starsender_sends(starsender: StarsenderServer, **message: str) -> None:
    key = starsender.environment["STARSENDER_KEY"]
    async with (
        ClientSession() as session,
        session.post(
            f"{starsender.url}/send", json={"to": BUDI, **message}, headers={"Authorization": key}
        ) as answer,
    ):
        assert (await answer.json())["success"] is True


async def test_what_starsender_sends_comes_as_from_another_number(browser: Browser) -> None:
    starsender = browser.shown.payments.starsender
    await _starsender_sends(starsender, messageType="text", body="Halo Kak, ini *Toko Uji*.")
    await browser.until(lambda: browser.bubbles(BUDI, "other"))
    [bubble] = browser.bubbles(BUDI, "other")
    assert (bubble["from"], bubble["text"], bubble["at_shop"]) == (
        starsender.number,
        "Halo Kak, ini *Toko Uji*.",
        False,
    )
    assert "Starsender mengirim pesan ke 0812…01." in browser.events
    # It is another chat, so nothing of the shop's can be done with it.
    for order in ({"name": "react", "emoji": "👍"}, {"name": "send", "text": "ya", "quoting": bubble["id"]}):
        told = {"chat": BUDI, "message": bubble["id"], **order}
        status, answer = await browser.order(str(told.pop("name")), **told)
        assert (status, answer["error"]) == (409, "Pesan ini dari nomor lain, bukan dari chat toko.")


async def test_a_document_of_starsenders_opens_as_what_it_is(browser: Browser) -> None:
    file = Sent(to=BUDI, body="Ini invoicenya", name="INV.pdf", mime="application/pdf", file=b"%PDF-1.7 x")
    deliver = browser.shown.payments.starsender._deliver
    assert deliver is not None
    await deliver(file)
    await browser.until(lambda: any(one["kind"] == "document" for one in browser.bubbles(BUDI, "other")))
    bubble = next(one for one in browser.bubbles(BUDI, "other") if one["kind"] == "document")
    assert bubble["file"]["name"] == "INV.pdf"
    async with browser.session.get(f"{browser.shown.address}{bubble['file']['address']}") as answer:
        assert (answer.content_type, await answer.read()) == ("application/pdf", file.file)


async def test_midtrans_and_starsender_go_and_come_back_by_a_button(browser: Browser) -> None:
    payments = browser.shown.payments
    for name, faults in (("midtrans", payments.midtrans.faults), ("starsender", payments.starsender.faults)):
        await browser.done(name, down=True)
        assert faults.strike("all") is not None
        await browser.done(name, down=False)
        assert faults.strike("all") is None
    await browser.until(lambda: "Starsender hidup lagi." in browser.events)


async def test_a_code_that_was_charged_can_be_paid_at_an_address_that_the_page_tells(
    browser: Browser,
) -> None:
    midtrans = browser.shown.payments.midtrans
    charge = {
        "payment_type": "qris",
        "transaction_details": {"order_id": "BQRIS0001-1", "gross_amount": 25_000},
    }
    key = encode_basic_auth(midtrans.environment["MIDTRANS_SERVER_KEY"], "")
    async with ClientSession() as session:
        url = f"{midtrans.url}/v2/charge"
        async with session.post(url, json=charge, headers={"Authorization": key}) as answer:
            assert (await answer.json())["transaction_status"] == "pending"
        page = midtrans.page_of("BQRIS0001-1")
        await browser.until(lambda: f"QRIS BQRIS0001-1 bisa dibayar di {page}" in browser.events)
        async with session.post(f"{page}/pay", json={}) as answer:
            assert (await answer.json())["paid"] is True
    await browser.until(lambda: "Midtrans: BQRIS0001-1 dibayar (Rp25.000, QRIS)." in browser.events)


async def test_the_payment_process_runs_behind_the_page(browser: Browser) -> None:
    address = browser.shown.payments.environment["PUBLIC_URL"]
    async with asyncio.timeout(PATIENCE_S), ClientSession() as session:
        while True:
            try:
                async with session.get(f"{address}/live") as answer:
                    assert answer.status == 200
                    return
            except OSError:
                # It is still starting.
                await asyncio.sleep(0.1)


async def test_the_page_says_what_searches_and_whether_the_payment_process_is_there(browser: Browser) -> None:
    await browser.until(lambda: (browser.bot["memory"], browser.bot["payments"]) == ("embedded", "running"))
    assert browser.bot["memory_away"] is False
    paying = browser.shown.page.bot.paying
    before = paying.starts
    paying.kill()
    await browser.until(lambda: browser.bot["payments"] == "starting")
    assert "Proses pembayaran berakhir (-9) dan dimulai lagi." in browser.events
    await browser.until(lambda: browser.bot["payments"] == "running")
    assert paying.starts == before + 1
