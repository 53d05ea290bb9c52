"""Delivery over a channel that fails, on each database: order, one resend in doubt, and who is told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

import pytest
from sqlalchemy import Connection, delete

from bot import answer_path
from bot.channel import Outcome, Outgoing, Parked, Quoted, Refused, Retry, Sent, Signal, Unknown
from config.settings import Settings
from store import invoices, merging
from store.attachments import Document
from store.doors import Store
from store.outbox import Kind, NewMessage, Purpose, add
from store.queue import Backoff
from store.schema import attachments, outbox
from tests.integration.invoices.shop import make_paid
from tests.integration.tiny_shop import OpenShop, TinyShop, age, shops


@pytest.fixture
async def open_shop(
    store: Store, make_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[OpenShop]:
    monkeypatch.setattr(answer_path, "Backoff", partial(Backoff, first_s=0.02, most_s=0.05))
    async with shops(store, make_settings) as opened:
        yield partial(opened, ingested=False)


async def _queue(shop: TinyShop, chat: str, *texts: str) -> None:
    """Messages of a person for the chat, as the owner's room sends them; waits until all are settled."""
    await shop.says(chat, "makasih")
    await _hand_over(shop, chat, *texts)
    await shop.settled()


async def _hand_over(shop: TinyShop, chat: str, *texts: str) -> None:
    customer = await shop.customer(chat)
    for text in texts:
        message = NewMessage(
            account="utama",
            transport="uji",
            chat=chat,
            body=text,
            purpose=Purpose.RELAY,
            customer_id=customer.id,
        )
        await shop.write(lambda c, message=message: add(c, message))
    shop.running.outbox_worker.wake()


def _first_times(body: str, times: int, outcome: Outcome) -> Callable[[Outgoing], Outcome | None]:
    """This outcome for the first sends of that text."""
    left = [times]

    def decide(message: Outgoing) -> Outcome | None:
        if message.body != body or left[0] == 0:
            return None
        left[0] -= 1
        return outcome

    return decide


def _tried(shop: TinyShop, body: str) -> list[Outgoing]:
    return [message for message in shop.channel.tried if message.body == body]


def _texts(shop: TinyShop, chat: str = "budi") -> list[str]:
    return [text for text in shop.heard(chat) if not text.startswith("(")]


async def test_order_is_kept_while_the_first_message_is_tried_again(open_shop: OpenShop) -> None:
    shop = await open_shop()
    shop.channel.outcome = _first_times("satu", 3, Retry("offline"))
    await _queue(shop, "budi", "satu", "dua", "tiga")
    assert _texts(shop) == ["satu", "dua", "tiga"]
    assert len({message.row_id for message in _tried(shop, "satu")}) == 1
    assert len(_tried(shop, "satu")) == 4
    assert shop.channel.most_at_once["budi"] == 1
    assert shop.heard("owner") == []


async def test_another_chat_does_not_wait_for_one_that_fails(open_shop: OpenShop) -> None:
    shop = await open_shop()
    for chat in ("budi", "siti"):
        await shop.says(chat, "makasih")
    shop.channel.outcome = lambda message: Retry("offline", after_s=600) if message.body == "macet" else None
    await _hand_over(shop, "budi", "macet")
    await _hand_over(shop, "siti", "lancar")
    async with asyncio.timeout(10):
        await shop.running.settled("siti")
    assert _texts(shop, "siti") == ["lancar"]
    assert await shop.count(outbox, outbox.c.body == "macet", outbox.c.finished_ms.is_(None)) == 1


async def test_after_the_last_attempt_the_owner_is_told_and_the_chat_goes_on(open_shop: OpenShop) -> None:
    shop = await open_shop(SEND_ATTEMPTS="3")
    shop.channel.outcome = _first_times("satu", 99, Retry("offline"))
    await _queue(shop, "budi", "satu", "dua")
    assert len(_tried(shop, "satu")) == 3
    assert _texts(shop) == ["dua"]
    [told] = shop.heard("owner")
    assert "Gagal terkirim" in told
    assert "satu" in told
    [dead] = await shop.rows(outbox, outbox.c.state == "dead")
    assert (dead.body, dead.error) == ("satu", "Retry: offline")


async def test_an_outcome_that_nobody_knows_is_tried_once_more(open_shop: OpenShop) -> None:
    shop = await open_shop()
    shop.channel.outcome = _first_times("satu", 1, Unknown("connection lost"))
    await _queue(shop, "budi", "satu", "dua")
    assert _texts(shop) == ["satu", "dua"]
    assert len(_tried(shop, "satu")) == 2


async def test_an_outcome_that_stays_unknown_is_never_tried_a_third_time(open_shop: OpenShop) -> None:
    shop = await open_shop()
    shop.channel.outcome = _first_times("satu", 99, Unknown("connection lost"))
    await _queue(shop, "budi", "satu", "dua")
    assert len(_tried(shop, "satu")) == 2
    assert _texts(shop) == ["dua"]
    assert len(shop.heard("owner")) == 1


@pytest.mark.parametrize(
    ("outcomes", "tries", "arrives"),
    [
        # What WhatsApp refused before is no reason to give a send up that was cut once.
        ([Retry("error 500"), Retry("error 500"), Unknown("connection lost")], 4, True),
        ([Unknown("connection lost"), Retry("error 500")], 3, True),
        # The refusal in between does not make the first doubt forgotten.
        ([Unknown("connection lost"), Retry("error 500"), Unknown("connection lost")], 3, False),
    ],
)
async def test_only_unknown_outcomes_count_as_unknown(
    open_shop: OpenShop, outcomes: list[Outcome], tries: int, arrives: bool
) -> None:
    shop = await open_shop()
    left = iter(outcomes)
    shop.channel.outcome = lambda message: next(left, None) if message.body == "satu" else None
    await _queue(shop, "budi", "satu", "dua")
    assert len(_tried(shop, "satu")) == tries
    assert _texts(shop) == (["satu", "dua"] if arrives else ["dua"])
    assert len(shop.heard("owner")) == (0 if arrives else 1)


async def test_the_notice_of_a_first_answer_that_reaches_nobody_is_on_the_next_one(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    left = iter([Refused("blocked")])
    shop.channel.outcome = lambda message: next(left, None) if message.chat == "budi" else None
    assert await shop.says("budi", "halo") == []
    assert shop.wording.say("pengantar") in (await shop.says("budi", "halo"))[0]


async def test_what_is_refused_is_not_tried_again_and_the_owner_is_told(open_shop: OpenShop) -> None:
    shop = await open_shop()
    shop.channel.outcome = _first_times("satu", 99, Refused("blocked"))
    await _queue(shop, "budi", "satu", "dua")
    assert len(_tried(shop, "satu")) == 1
    assert _texts(shop) == ["dua"]
    [told] = shop.heard("owner")
    assert "satu" in told


async def test_the_pause_that_the_channel_asks_for_is_kept(open_shop: OpenShop) -> None:
    shop = await open_shop()
    tried_at: list[float] = []

    def decide(message: Outgoing) -> Outcome | None:
        if message.body != "satu":
            return None
        tried_at.append(time.monotonic())
        return Retry("slow down", after_s=0.3) if len(tried_at) == 1 else Sent("p1")

    shop.channel.outcome = decide
    await _queue(shop, "budi", "satu")
    assert tried_at[1] - tried_at[0] >= 0.29


async def test_no_chat_ever_has_two_bubbles_under_way(open_shop: OpenShop) -> None:
    shop = await open_shop()
    shop.channel.sending_takes_s = 0.01
    shop.channel.outcome = _first_times("budi-1", 2, Retry("offline"))
    chats = ("budi", "siti", "dewi")
    await asyncio.gather(*(_queue(shop, chat, *(f"{chat}-{n}" for n in range(6))) for chat in chats))
    for chat in chats:
        assert _texts(shop, chat) == [f"{chat}-{n}" for n in range(6)]
        assert shop.channel.most_at_once[chat] == 1


async def test_sends_of_the_account_keep_their_pace(open_shop: OpenShop) -> None:
    shop = await open_shop(PACE_S="0.06")
    started = time.monotonic()
    await _queue(shop, "budi", "satu", "dua", "tiga")
    # Four sends with the reaction before them: three pauses.
    assert time.monotonic() - started >= 0.18


async def test_the_customers_messages_are_shown_as_read_only_right_before_the_answer(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await shop.says("budi", "halo", message_id="m1")
    assert [signal for signal in shop.channel.signals if signal[1] is Signal.READ] == [
        ("budi", Signal.READ, ("m1",))
    ]
    await shop.owner("berhenti")
    await shop.says("siti", "halo")
    assert not [signal for signal in shop.channel.signals if signal[0] == "siti"]


async def test_a_number_that_is_new_here_keeps_twice_the_pace(open_shop: OpenShop) -> None:
    shop = await open_shop(PACE_S="0.06")
    shop.channel.caution = 2.0
    started = time.monotonic()
    await _queue(shop, "budi", "satu", "dua", "tiga")
    assert time.monotonic() - started >= 0.36


@pytest.mark.parametrize("arrives", [True, False])
async def test_an_answer_under_way_outlives_that_its_customer_becomes_somebody_else(
    open_shop: OpenShop, arrives: bool
) -> None:
    """Two addresses turn out to be one person between the claim and the send."""
    shop = await open_shop(SEND_ATTEMPTS="1")
    await shop.says("siti", "makasih")
    kept, reachable = (await shop.customer("siti")).id, shop.channel.reachable

    async def merges_meanwhile() -> None:
        other = (await shop.customer("budi")).id
        if other != kept:
            await shop.write(lambda c: merging.merge(c, kept=kept, other=other))
        await reachable()

    shop.channel.reachable = merges_meanwhile  # type: ignore[method-assign] # the moment that is meant
    if not arrives:
        shop.channel.outcome = lambda message: Retry("offline") if message.chat == "budi" else None
    await shop.says("budi", "halo")
    await shop.settled()
    [row] = await shop.rows(outbox, outbox.c.chat == "budi")
    assert row.customer_id == kept
    assert (row.state, bool(_texts(shop))) == (("done", True) if arrives else ("dead", False))
    assert len(shop.heard("owner")) == (not arrives)


async def test_an_answer_that_could_not_be_sent_for_half_a_day_is_dropped_and_told(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    shop.channel.outcome = lambda message: Retry("offline", after_s=0.05) if message.chat == "budi" else None
    await shop.record("budi", "halo")
    async with asyncio.timeout(10):
        while not await shop.count(outbox, outbox.c.attempts > 0):  # noqa: ASYNC110 - no event is set.
            await asyncio.sleep(0.01)
    await age(shop.store, outbox, "created_ms", by_ms=12 * 60 * 60 * 1000)
    await shop.settled()
    [dropped] = await shop.rows(outbox, outbox.c.chat == "budi")
    assert (dropped.state, dropped.error) == ("dropped", "it could not be sent for too long")
    [told] = shop.heard("owner")
    assert "Tidak jadi kukirim" in told
    assert "selamat datang" in told


async def test_what_is_parked_holds_its_own_chat_up_and_no_other_and_is_told_once(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    shop.channel.outcome = _first_times("satu", 1, Parked("restricted"))
    for chat in ("budi", "siti"):
        await shop.says(chat, "makasih")
    await _hand_over(shop, "budi", "satu", "dua")
    await _hand_over(shop, "siti", "lancar")
    await shop.settled()
    assert _texts(shop) == []
    assert _texts(shop, "siti") == ["lancar"]
    assert [row.state for row in await shop.rows(outbox, outbox.c.body.in_(("satu", "dua")))] == [
        "parked"
    ] * 2
    assert len([text for text in shop.heard("owner") if "membatasi" in text]) == 1
    assert await shop.owner("lanjut") == ["Oke, 2 pesan yang tertahan kucoba kirim sekarang."]
    await shop.settled()
    assert _texts(shop) == ["satu", "dua"]
    assert "Tidak ada pesan yang tertahan" in (await shop.owner("lanjut"))[0]


async def test_what_stays_parked_for_a_day_is_given_up_and_told(open_shop: OpenShop) -> None:
    shop = await open_shop()
    shop.channel.outcome = _first_times("satu", 99, Parked("restricted"))
    await _queue(shop, "budi", "satu")
    await age(shop.store, outbox, "created_ms", by_ms=24 * 60 * 60 * 1000)
    await shop.owner("lanjut")
    await shop.settled()
    [dead] = await shop.rows(outbox, outbox.c.body == "satu")
    assert dead.state == "dead"
    assert any("Gagal terkirim" in text and "satu" in text for text in shop.heard("owner"))


async def test_a_file_is_sent_with_its_row_and_one_that_is_lost_is_told(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "makasih")
    file = Document(data=b"%PDF", filename="INV-7.pdf", mimetype="application/pdf")
    message = await shop.sends("budi", "Ini invoicenya ya Kak", kind=Kind.DOCUMENT, document=file)
    assert shop.channel.sent[-1].document == file
    assert shop.channel.sent[-1].body == message.body

    def lose(connection: Connection) -> None:
        row_id = add(connection, message)
        connection.execute(delete(attachments).where(attachments.c.outbox_id == row_id))

    await shop.write(lose)
    shop.running.outbox_worker.wake()
    await shop.settled()
    assert len([sent for sent in shop.channel.sent if sent.document is not None]) == 1
    assert "Gagal terkirim" in shop.heard("owner")[-1]


async def test_the_owner_reads_which_file_did_not_arrive(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "makasih")
    shop.channel.outcome = lambda message: Refused("too large") if message.document else None
    file = Document(data=b"%PDF", filename="INV-7.pdf", mimetype="application/pdf")
    await shop.sends("budi", "", kind=Kind.DOCUMENT, document=file)
    assert "📄 INV-7.pdf" in shop.heard("owner")[-1]


async def test_a_reply_quotes_what_is_known_and_goes_out_alone_when_it_is_not(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "makasih", message_id="b1")

    async def reply(quoted_id: str) -> Quoted | None:
        await shop.sends("budi", "Jadi, Kak?", quoted_id=quoted_id)
        return shop.channel.sent[-1].quoted

    assert await reply("b1") == Quoted(message_id="b1", text="makasih", sender="budi")
    own = shop.last_id("budi")
    assert await reply(own) == Quoted(message_id=own, text="Jadi, Kak?", sender=None)
    assert await reply("entah") is None


async def test_an_invoice_is_made_when_it_is_sent_and_noted_as_delivered_by_the_bot(
    open_shop: OpenShop,
) -> None:
    shop = await open_shop()
    await shop.says("budi", "makasih")
    paid = await shop.write(lambda c: make_paid(c))
    await shop.sends(
        "budi",
        "Ini invoice INV/2026/11/0001, Kak.",
        kind=Kind.DOCUMENT,
        purpose=Purpose.RECEIPT,
        invoice=paid.invoice.number,
    )
    (sent,) = [sent for sent in shop.channel.sent if sent.document is not None]
    assert sent.document is not None
    assert sent.document.data.startswith(b"%PDF-")
    assert (sent.document.filename, sent.document.mimetype) == ("INV-2026-11-0001.pdf", "application/pdf")
    left = await shop.write(lambda c: invoices.get(c, "utama", paid.invoice.number))
    assert left is not None
    assert left.delivered_by == "bot"


async def test_the_owner_reads_which_invoice_did_not_arrive(open_shop: OpenShop) -> None:
    shop = await open_shop()
    await shop.says("budi", "makasih")
    await shop.sends(
        "budi",
        "Ini invoicenya, Kak.",
        kind=Kind.DOCUMENT,
        purpose=Purpose.RECEIPT,
        invoice="INV/2026/11/9999",
    )
    assert "📄 INV/2026/11/9999" in shop.heard("owner")[-1]
