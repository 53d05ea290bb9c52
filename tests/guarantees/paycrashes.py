"""Scenarios of payments with deaths in them. Each gives the verdict over everything that was paid."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import update

from config.settings import Settings
from store import schema
from store.doors import Store
from store.schema import now_ms
from store.sqlite import SqliteStore
from tests.guarantees.payledger import Books, PayVerdict, check
from tests.guarantees.payprocess import PayHome, PayProcess, living
from tests.integration.payments.shop import PaymentShop, payment_shop
from tests.tally import Tally

# What comes late on a busy machine is not lost, so nobody waits for less than the worst that there can be:
# - The stand-in brings what was not acknowledged 0.2, 1.2, 4.2, 13.2 and 34.2 s after the payment (its
#   minutes are short), and each process that is not there yet, or dies, costs one of these.
# - What it gave up is found by the poller of the last life, which asks about every young link at its start:
#   eight every two seconds and more, 20 s for 64 links.
# - What was acknowledged is claimed at once; one failure of Midtrans's stand-in makes a pause of up to 30 s
#   for a row that was in hand at some deaths (``confirming.BACKOFF``).
# That is a minute and a half, and a machine with 20 programs for two cores takes several times as long. In a
# shop it is as long as Midtrans takes to answer, for what was recorded and for what was missed.
PATIENCE_S = 300.0
# A mutant owes what never comes, and is not waited for that long.
MUTANT_PATIENCE_S = 4.0
# Every step of the transaction that makes an order paid, and of the door before it.
STEPS = (
    "before:store.payment_events.record_all",
    "after:store.payment_events.record_all",
    "before:billing.midtrans.Midtrans.status",
    "after:billing.midtrans.Midtrans.status",
    "before:store.orders.lock",
    "after:store.attempts.reported",
    "before:store.orders.move",
    "after:store.orders.move",
    "after:store.invoices.next_number",
    "before:store.invoices.issue",
    "after:store.invoices.issue",
    "after:store.outbox.add",
    "after:store.handoffs.add_notice",
    "before:store.queue.finish",
    "after:store.queue.finish",
)


@dataclass(kw_only=True)
class PayStory:
    """What a scenario found."""

    verdict: PayVerdict
    kills: int = 0
    acknowledged: int = 0
    given_up: int = 0  # orders of which Midtrans never got a notification through
    seed: int = 0
    took_s: float = 0.0
    paid: set[str] = field(default_factory=set)

    def told(self) -> str:
        return (
            f"seed {self.seed}, {self.kills} kills, {len(self.paid)} paid, {self.acknowledged} notifications "
            f"acknowledged, {self.given_up} orders never heard of and found by asking, "
            f"faults {self.verdict.faults or 'none'}, {self.took_s:.0f} s"
        )

    def tally(self) -> Tally:
        """Its row in the table of deaths: with payments, what was done twice is money."""
        found = self.verdict
        return Tally(
            kills=self.kills,
            lost=len(found.lost) + len(found.unthanked) + len(found.without_invoice),
            doubled=len(found.doubled),
            credited_twice=len(found.invented) + len(found.stray_invoices),
            seed=self.seed,
        )


@contextlib.asynccontextmanager
async def books_open(home: PayHome) -> AsyncIterator[PaymentShop]:
    """The shop's side in this process, beside the one under test: makes orders and links, reads the end."""
    settings = Settings.load(environ=home.environment, env_file=None)
    store = await _open(settings)
    try:
        async with payment_shop(store, home.midtrans, settings, runs=False) as shop:
            home.midtrans.notify_url = None
            yield shop
    finally:
        await store.close()


async def _open(settings: Settings) -> Store:
    if settings.store.database_url is not None:
        from store.postgres import PostgresStore

        return await PostgresStore.open(settings.store.database_url)
    return await SqliteStore.open(settings.sqlite_path)


def point(home: PayHome, life: PayProcess) -> None:
    """Midtrans notifies this process from now on."""
    home.midtrans.notify_url = f"http://127.0.0.1:{life.port}/midtrans/notification"


async def killed_at_steps(
    home: PayHome, *, steps: Sequence[str] = STEPS, mutant: str | None = None
) -> PayStory:
    """One payment a step, and the process dies right there; the next life must make it good."""
    began, story = time.monotonic(), PayStory(verdict=PayVerdict())
    async with books_open(home) as shop:
        for step in steps:
            attempt = await shop.linked()
            async with living(home, mutant=mutant, faults=["--die", step]) as life:
                await life.ready()
                point(home, life)
                await home.midtrans.pay(attempt.id, "gopay")
                story.paid.add(attempt.order_id)
                if await life.ended() != -9:
                    raise AssertionError(f"the process lived through {step}")
                story.kills += 1
        await _settle(home, shop, story, mutant=mutant)
    story.took_s = time.monotonic() - began
    return story


async def killed_in_every_write(home: PayHome, *, strace: str) -> PayStory:
    """The process dies in its first write or sync after the payment came in, then in its second, and on."""
    began, story = time.monotonic(), PayStory(verdict=PayVerdict())
    async with books_open(home) as shop:
        number = 0
        survived = False
        while not survived:
            number += 1
            attempt = await shop.linked()
            async with living(home) as life:
                await life.ready()
                point(home, life)
                async with _armed(strace, life.process.pid, number) as armed:
                    await armed
                    await home.midtrans.pay(attempt.id, "gopay")
                    story.paid.add(attempt.order_id)

                    async def is_over(order_id: str = attempt.order_id, life: PayProcess = life) -> bool:
                        return life.has_ended or (await shop.invoice(order_id)) is not None

                    await quiet(is_over, patience_s=PATIENCE_S)
                    # The writes behind the commit (the file's copy of the log) belong to it, too.
                    await asyncio.sleep(0.3)
                survived = not life.has_ended
                story.kills += not survived
        # Over so many deaths Midtrans gives up notifying; then a quarter of an hour is what is promised.
        await shop.store.write(
            lambda c: c.execute(
                update(schema.attempts).values(created_ms=now_ms() - 900_000, checked_ms=None)
            ).close()
        )
        await _settle(home, shop, story, mutant=None)
    story.took_s = time.monotonic() - began
    return story


@contextlib.asynccontextmanager
async def _armed(strace: str, pid: int, number: int) -> AsyncIterator[Awaitable[None]]:
    """strace hangs on the process, and kills it at its write or sync with this number."""
    calls = "pwrite64,fsync,fdatasync"
    tracer = await asyncio.create_subprocess_exec(
        *(strace, "-f", "-q", "-o", "/dev/null", "-e", f"trace={calls}"),
        *("-e", f"inject={calls}:signal=SIGKILL:when={number}", "-p", str(pid)),
        stderr=asyncio.subprocess.DEVNULL,
    )

    async def attached() -> None:
        # The kernel says so itself: the tracer of every thread.
        status = Path(f"/proc/{pid}/status")
        while "TracerPid:\t0" in status.read_text():  # noqa: ASYNC110 - the kernel sets no event
            await asyncio.sleep(0.01)

    try:
        yield attached()
    finally:
        if tracer.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                tracer.terminate()
        await tracer.wait()


async def killed_at_random(
    home: PayHome, *, seed: int, rounds: int, per_round: int = 8, mutant: str | None = None
) -> PayStory:
    """kill -9 at a random moment while payments come in, twice each, ``rounds`` times."""
    began, dice = time.monotonic(), random.Random(seed)
    story = PayStory(verdict=PayVerdict(), seed=seed)
    async with books_open(home) as shop:
        home.midtrans.duplicate_notifications(2)
        for _ in range(rounds):
            links = [await shop.linked() for _ in range(per_round)]
            async with living(home, mutant=mutant) as life:
                await life.ready()
                point(home, life)
                for attempt in links:
                    await home.midtrans.pay(attempt.id, dice.choice(["gopay", "qris", "bca_va"]))
                    story.paid.add(attempt.order_id)
                await asyncio.sleep(dice.uniform(0.0, 0.25))
                await life.kill()
                life.look_for_bugs()
                story.kills += 1
        await _settle(home, shop, story, mutant=mutant)
    story.took_s = time.monotonic() - began
    return story


async def _settle(home: PayHome, shop: PaymentShop, story: PayStory, *, mutant: str | None) -> None:
    """The last life: nothing kills it, Midtrans repeats what was never acknowledged, and it may finish."""
    async with living(home, mutant=mutant) as life:
        await life.ready()
        point(home, life)

        async def is_served() -> bool:
            return not (await verdict_of(shop, story.paid)).faults

        patience_s = PATIENCE_S if mutant is None else MUTANT_PATIENCE_S
        if not await quiet(is_served, patience_s=patience_s) and mutant is None:
            await _a_quarter_of_an_hour_later(home, shop, story)
            await quiet(is_served, patience_s=PATIENCE_S + story.given_up)
        # What is too much must show itself.
        await asyncio.sleep(0.3)
        if mutant is None:
            await life.stop()
    answers = [answer for delivery in home.midtrans.deliveries for answer in delivery.answers]
    story.acknowledged = answers.count(200)
    story.verdict = await verdict_of(shop, story.paid, acknowledged=_heard(home))


def _heard(home: PayHome) -> set[str]:
    """The attempts of which a notification was acknowledged."""
    return {delivery.body["order_id"] for delivery in home.midtrans.deliveries if 200 in delivery.answers}


async def _a_quarter_of_an_hour_later(home: PayHome, shop: PaymentShop, story: PayStory) -> None:
    """Over so many deaths Midtrans gives up telling of some payments, and these are no longer young."""
    await home.midtrans.delivered()
    told = {delivery.body["order_id"] for delivery in home.midtrans.deliveries}
    unheard = sorted(told - _heard(home))
    story.given_up = len(unheard)
    await shop.store.write(
        lambda c: c.execute(
            update(schema.attempts)
            .where(schema.attempts.c.id.in_(unheard))
            .values(created_ms=now_ms() - 900_000, checked_ms=None)
        ).close()
    )


async def verdict_of(shop: PaymentShop, paid: set[str], *, acknowledged: Collection[str] = ()) -> PayVerdict:
    """The verdict over the database as it is now."""
    return check(await shop.store.read(Books.read, slow=True), paid=paid, acknowledged=acknowledged)


async def quiet(condition: Callable[[], Awaitable[bool]], *, patience_s: float) -> bool:
    """Whether the awaitable condition came true within the time."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if await condition():
            return True
        await asyncio.sleep(0.1)
    return False
