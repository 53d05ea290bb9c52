"""Guarantees 6, 7, 9 to 12: credited once, invoice and money together, nothing believed, nothing missed."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pysqlite3
import pytest
from sqlalchemy import update

import tests.mutants as mutants
from billing import lifecycle
from billing.poller import FAST
from sandbox.midtrans import MidtransServer
from store import schema
from store.attempts import State as AttemptState
from store.orders import State
from store.schema import now_ms
from store.sqlite import SqliteStore
from tests.conftest import everything_is_required
from tests.guarantees.paycrashes import (
    STEPS,
    books_open,
    killed_at_random,
    killed_at_steps,
    killed_in_every_write,
    verdict_of,
)
from tests.guarantees.payledger import Books, PayVerdict, check
from tests.guarantees.payprocess import PayHome, living
from tests.integration.payments.shop import PaymentShop, payment_shop, settings_for
from tests.tally import Tally

Report = Callable[[str], None]
Tallies = Callable[[Tally], None]
Mutate = Callable[[str], None]
# The others are the long tier's; each death costs a start of the process.
SAMPLE = (
    "after:store.payment_events.record_all",
    "after:store.attempts.reported",
    "before:store.invoices.issue",
    "after:store.outbox.add",
    "after:store.queue.finish",
)
TORTURE_ROUNDS = int(os.environ.get("BALAS_ROUNDS", "200"))


@pytest.fixture
async def midtrans() -> AsyncIterator[MidtransServer]:
    # Its minutes are short: what was not acknowledged comes again at once.
    async with MidtransServer(merchant_name="Toko Uji", minute_s=0.1) as server:
        yield server


@pytest.fixture
def strace() -> str:
    """The tracer that kills at a system call; where there is none the test is skipped loudly."""
    found = shutil.which("strace")
    if found is None and everything_is_required():
        pytest.fail("strace is not installed", pytrace=False)
    if found is None:
        pytest.skip("strace is not installed")
    return found


@pytest.fixture
def home(midtrans: MidtransServer, tmp_path: Path) -> PayHome:
    return PayHome(state_dir=tmp_path / "var", midtrans=midtrans)


@pytest.fixture
async def shop(
    sqlite_store: SqliteStore, midtrans: MidtransServer, tmp_path: Path
) -> AsyncIterator[PaymentShop]:
    """The process's parts in this one, where no death is needed."""
    async with payment_shop(sqlite_store, midtrans, settings_for(midtrans, tmp_path)) as opened:
        yield opened


@pytest.fixture
def mutate(monkeypatch: pytest.MonkeyPatch) -> Mutate:
    """``mutate("name")``: remove that guard in this process, for this test."""

    def apply(name: str) -> None:
        module = __import__(f"tests.mutants.{name}", fromlist=["mutate"])
        module.mutate(lambda guard, make: mutants.replace(guard, make, put=monkeypatch.setattr))

    return apply


# --- 7: a paid order if and only if one invoice, whatever dies when -------------------------------------


async def test_a_death_within_a_payment_leaves_it_paid_once_with_one_invoice(
    home: PayHome, report: Report, tally: Tallies
) -> None:
    story = await killed_at_steps(home, steps=SAMPLE)
    report(story.told())
    tally(story.tally())
    assert story.verdict.faults == {}, story.told()
    assert story.kills == len(SAMPLE)


@pytest.mark.torture
async def test_a_death_at_really_every_step_leaves_it_paid_once(
    home: PayHome, report: Report, tally: Tallies
) -> None:
    story = await killed_at_steps(home, steps=STEPS)
    report(story.told())
    tally(story.tally())
    assert story.verdict.faults == {}, story.told()


@pytest.mark.torture
async def test_a_death_in_every_system_call_that_writes_leaves_it_paid_once(
    home: PayHome, strace: str, report: Report, tally: Tallies
) -> None:
    story = await killed_in_every_write(home, strace=strace)
    report(story.told())
    tally(story.tally())
    assert story.verdict.faults == {}, story.told()
    assert story.kills >= 10, "a transaction writes more often than that"


async def test_the_mutant_that_commits_the_state_before_the_invoice_is_found_out(home: PayHome) -> None:
    story = await killed_at_steps(
        home, steps=["before:store.invoices.issue"], mutant="paid_before_its_invoice"
    )
    assert story.verdict.without_invoice == tuple(story.paid), story.told()


async def test_kill_9_at_random_credits_every_payment_once(
    home: PayHome, seed: int, report: Report, tally: Tallies
) -> None:
    story = await killed_at_random(home, seed=seed, rounds=5)
    report(story.told())
    tally(story.tally())
    assert story.verdict.faults == {}, story.told()


@pytest.mark.torture
async def test_many_kills_credit_every_payment_once(
    home: PayHome, seed: int, report: Report, tally: Tallies
) -> None:
    story = await killed_at_random(home, seed=seed, rounds=TORTURE_ROUNDS)
    report(story.told())
    tally(story.tally())
    assert story.verdict.faults == {}, story.told()


@pytest.mark.torture
async def test_many_kills_credit_every_payment_once_on_postgresql(
    home: PayHome, postgres_url: str, seed: int, report: Report, tally: Tallies
) -> None:
    home.settings["DATABASE_URL"] = postgres_url
    story = await killed_at_random(home, seed=seed, rounds=TORTURE_ROUNDS // 4)
    report(story.told())
    tally(story.tally())
    assert story.verdict.faults == {}, story.told()


# --- 6: credited once -----------------------------------------------------------------------------------


async def paid_fifty_times(shop: PaymentShop) -> PayVerdict:
    """One payment, and fifty notifications of it at once that differ in what counts for nothing."""
    attempt = await shop.linked()
    shop.midtrans.drop_notifications()
    await shop.midtrans.pay(attempt.id, "gopay")
    true = shop.midtrans.desk.notification(shop.midtrans.transaction(attempt.id))
    bodies = [{**true, "nomor": str(number)} for number in range(25)] * 2
    assert set(await asyncio.gather(*(shop.notify(body) for body in bodies))) == {200}
    await shop.confirmed()
    return await verdict_of(shop, {attempt.order_id})


async def test_fifty_notifications_at_once_credit_a_payment_once(shop: PaymentShop) -> None:
    assert (await paid_fifty_times(shop)).faults == {}


async def test_the_mutant_that_credits_a_known_payment_again_is_found_out(
    shop: PaymentShop, mutate: Mutate
) -> None:
    mutate("known_payments_credited_again")
    assert list((await paid_fifty_times(shop)).faults) == ["doubled"]


# --- 9: nothing is believed -----------------------------------------------------------------------------


async def underpaid(shop: PaymentShop) -> PayVerdict:
    """Somebody paid one rupiah for it; Midtrans says so itself."""
    attempt = await shop.linked()
    shop.midtrans.alter(attempt.id, gross_amount="1.00")
    await shop.midtrans.pay(attempt.id, "gopay")
    await shop.confirmed()
    return await verdict_of(shop, set())


async def test_another_amount_pays_nothing(shop: PaymentShop) -> None:
    assert (await underpaid(shop)).faults == {}


async def test_the_mutant_that_compares_no_report_is_found_to_sell_for_a_rupiah(
    shop: PaymentShop, mutate: Mutate
) -> None:
    mutate("reports_not_compared")
    assert (await underpaid(shop)).invented != ()


async def forged(shop: PaymentShop) -> list[int]:
    """What the door says to somebody who has no key, and to replays with something else in them."""
    attempt = await shop.linked()
    await shop.midtrans.pick(attempt.id, "bca_va")
    await shop.confirmed()
    true = shop.midtrans.deliveries[-1].body
    return [
        await shop.notify({**true, **lie})
        for lie in (
            {"signature_key": "0" * 128},
            {"status_code": "200"},
            {"gross_amount": "1.00"},
            {"order_id": "B000000000-1"},
        )
    ]


async def test_a_forgery_is_turned_away_at_the_door(shop: PaymentShop) -> None:
    assert await forged(shop) == [403] * 4


async def test_the_mutant_that_compares_no_signature_lets_forgeries_in(
    shop: PaymentShop, mutate: Mutate
) -> None:
    mutate("signatures_not_compared")
    assert await forged(shop) == [200] * 4
    await shop.confirmed()
    # And even then nothing is paid by it: Midtrans is asked.
    assert (await verdict_of(shop, set())).faults == {}


# --- 10: order never matters ----------------------------------------------------------------------------


def ends_of_every_order() -> set[State]:
    """The ends of a payment whose three true reports come in every order, the first of them twice."""
    reports = [
        lifecycle.News(meaning=meaning, transaction_id="a")
        for meaning in (lifecycle.Meaning.PENDING, lifecycle.Meaning.AUTHORIZED, lifecycle.Meaning.PAID)
    ]
    ends = set()
    for order in itertools.permutations([*reports, reports[0]]):
        state, attempt, meaning, invoices = State.PENDING, AttemptState.OPEN, None, 0
        for news in order:
            change = lifecycle.after(
                lifecycle.Standing(
                    order=state,
                    total_idr=1000,
                    attempt=attempt,
                    amount_idr=1000,
                    meaning=meaning,
                    transaction_id=None if meaning is None else "a",
                    has_invoice=invoices > 0,
                ),
                news,
            )
            state, attempt, meaning = change.order, change.attempt, change.meaning
            invoices += change.pays
        ends.add(state)
    return ends


def test_every_order_of_true_reports_ends_paid() -> None:
    assert ends_of_every_order() == {State.PAID}


def test_the_mutant_in_which_the_last_report_decides_is_found_out(mutate: Mutate) -> None:
    mutate("newest_report_wins")
    assert State.PENDING in ends_of_every_order()


# --- 11: nothing is missed ------------------------------------------------------------------------------


async def unheard(shop: PaymentShop) -> PayVerdict:
    """Paid, and no notification ever comes; a quarter of an hour later."""
    links = [await shop.linked() for _ in range(3)]
    shop.midtrans.drop_notifications()
    for attempt in links:
        await shop.midtrans.pay(attempt.id, "gopay")
    await shop.store.write(
        lambda c: c.execute(update(schema.attempts).values(created_ms=now_ms() - 900_000)).close()
    )
    await shop.poller(FAST).round()
    return await verdict_of(shop, {attempt.order_id for attempt in links})


async def test_a_payment_that_nobody_told_us_of_is_found(shop: PaymentShop) -> None:
    assert (await unheard(shop)).faults == {}


async def test_the_mutant_that_polls_no_links_is_found_to_miss_payments(
    shop: PaymentShop, mutate: Mutate
) -> None:
    mutate("links_never_polled")
    assert len((await unheard(shop)).lost) == 3


# --- 12: no 200 before the commit -----------------------------------------------------------------------


async def answered_while_locked(shop: PaymentShop, path: Path) -> tuple[list[int], int]:
    """The answers while the database takes nothing, and how many rows there are then."""
    attempt = await shop.linked()
    shop.midtrans.drop_notifications()
    await shop.midtrans.pay(attempt.id, "gopay")
    true = shop.midtrans.desk.notification(shop.midtrans.transaction(attempt.id))
    other = pysqlite3.connect(path, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        answers = [await shop.notify({**true, "nomor": str(number)}) for number in range(3)]
        rows = len(await shop.events())
        other.execute("ROLLBACK")
    finally:
        other.close()
    return answers, rows


async def test_nothing_is_acknowledged_that_is_not_on_the_disk(
    sqlite_store: SqliteStore,
    midtrans: MidtransServer,
    tmp_path: Path,
    sqlite_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("webhooks.notifications.COMMIT_TIMEOUT_S", 0.2)
    async with payment_shop(sqlite_store, midtrans, settings_for(midtrans, tmp_path)) as shop:
        assert await answered_while_locked(shop, sqlite_path) == ([503] * 3, 0)


async def test_the_mutant_that_acknowledges_at_once_is_found_out(
    shop: PaymentShop, sqlite_path: Path, mutate: Mutate
) -> None:
    mutate("notifications_acknowledged_at_once")
    assert await answered_while_locked(shop, sqlite_path) == ([200] * 3, 0)


async def test_the_mutant_that_acknowledges_at_once_is_found_to_lose_payments_in_a_crash(
    home: PayHome,
) -> None:
    story = await killed_at_steps(
        home,
        steps=["before:store.payment_events.record_all"],
        mutant="notifications_acknowledged_at_once",
    )
    # The next life asks about the link by itself, and finds the payment; but that is another guard.
    assert len(story.verdict.forgotten) == 1, story.told()


async def test_on_a_full_disk_nothing_is_acknowledged_and_all_goes_on_when_there_is_room_again(
    home: PayHome, midtrans: MidtransServer
) -> None:
    async with books_open(home) as books:
        attempt = await books.linked()
        midtrans.drop_notifications()
        await midtrans.pay(attempt.id, "gopay")
        true = midtrans.desk.notification(midtrans.transaction(attempt.id))
        faults = ["--fill", "before:store.payment_events.record_all"]
        async with living(home, faults=faults) as life:
            await life.ready()
            url = f"http://127.0.0.1:{life.port}/midtrans/notification"

            async def notify(body: dict[str, object]) -> int:
                async with books.session.post(url, json=body) as answer:
                    return answer.status

            assert [await notify({**true, "nomor": str(number)}) for number in range(3)] == [503] * 3
            assert await books.events() == []
            process = psutil.Process(life.process.pid)
            _, most = process.rlimit(psutil.RLIMIT_FSIZE)
            process.rlimit(psutil.RLIMIT_FSIZE, (most, most))
            assert await notify(true) == 200
            await books.confirmed()
            life.look_for_bugs()
        assert (await verdict_of(books, {attempt.order_id})).faults == {}


# --- the checker itself ---------------------------------------------------------------------------------


def test_the_verdict_names_each_fault_by_the_order() -> None:
    books = Books(
        states={"lost": "pending", "invented": "paid", "twice": "paid", "bare": "paid", "good": "paid"},
        invoices={"invented": 1, "twice": 2, "good": 4, "lost": 5},
    )
    books.thanks.update({"invented": 1, "twice": 2, "good": 1})
    books.notices.update({"invented": 1, "twice": 1, "good": 1})
    books.told_of.update({"good-1"})
    paid, acknowledged = {"lost", "twice", "bare", "good"}, {"good-1", "lost-1"}
    assert check(books, paid=paid, acknowledged=acknowledged).faults == {
        "lost": ("lost",),
        "invented": ("invented",),
        "doubled": ("twice",),
        "unthanked": ("bare",),
        "without_invoice": ("bare",),
        "stray_invoices": ("lost",),
        "gaps": ("3",),
        "forgotten": ("lost-1",),
    }
