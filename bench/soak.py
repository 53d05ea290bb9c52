"""Months in small: the bot and the payment process under mixed load and faults, for a set time.

    python -m bench.soak [--seconds 3600] [--customers 60]

Sixty customers at a time ask one question after the other over the loopback WhatsApp, and new ones take
their place; others pay their orders, each told to the payment process twice. Meanwhile sockets drop, the
model refuses, stutters and talks nonsense. Every question must be answered once, and every paid order have
one invoice, delivered once. At the end the bot is stopped and started under the same load. One hour is
``make soak``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import psutil

from bench import past
from bench.linked import Asker
from bench.questions import DATA, asks, person
from bench.settings import environment_for
from bench.soak_books import books, chats_of_buyers, newest_rows, unfinished
from bench.soak_outcome import Counts, tell, wrongs
from bench.soak_process import process
from billing.checkout import Checkout
from billing.midtrans import Midtrans
from billing.outage import Outage
from billing.payments import Payments
from billing.till import Till
from config import logging as balas_logging
from config.settings import LogSettings, Settings
from config.shop import Shop
from config.wording import Wording
from sandbox.midtrans import MidtransServer
from sandbox.openai.process import OpenAIStandInProcess
from sandbox.ports import free_port
from sandbox.whatsapp.customer import Addressing, Customer
from sandbox.whatsapp.server import WhatsAppServer
from store import orders, standing
from store.orders import Line, LineKind
from store.sqlite import SqliteStore

ACCOUNT = "utama"
BUYERS = 5
RESTARTS = 5
SAMPLE_S = 2.0
BETWEEN_PAYMENTS_S = 2.0
# CUSTOMER_DAILY_ANSWERS by default: nobody has more in an hour than he can have in a day.
QUESTIONS_EACH = 100
# A customer's pause between an answer and his next question, at random up to this.
MOST_PAUSE_S = 1.0
PATIENCE_S = 120.0
# A send that whatsmeow repeats after a drop may wait for its answer until the next one; the bot gives it up
# after DEGRADED_AT_MOST_S. What comes later than that is lost.
ANSWER_PATIENCE_S = 300.0
# An answer that takes longer is looked for in the queues, and what stands there is printed.
SUSPICIOUS_S = 30.0
_FAULTS = (
    {"mode": "500", "rate": 0.3},
    {"mode": "429", "rate": 0.3},
    {"mode": "slow", "delay_s": 1.0, "rate": 0.3},
    {"mode": "garbage", "for_": "chat", "rate": 0.3},
    {"mode": "reset", "rate": 0.2},
)
BETWEEN_FAULTS_S = 20.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 1 when something was lost, doubled or credited wrongly."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0, help="how long the load lasts (600)")
    parser.add_argument("--customers", type=int, default=60, help="who ask at the same time (60)")
    parser.add_argument("--seed", type=int, default=1)
    # `python -m bench` passes its own sizes.
    parser.add_argument("--quick", action="store_const", const=60.0, dest="seconds")
    parser.add_argument("--full", action="store_const", const=3600.0, dest="seconds")
    options = parser.parse_args(arguments)
    balas_logging.configure(LogSettings(level="WARNING"))
    with OpenAIStandInProcess() as model:
        stored = past.ready(1_000, model.base_url)
        with tempfile.TemporaryDirectory(prefix="soak-", dir=past.cache_folder()) as name:
            soak = Soak(model, Path(name), options.seconds, options.customers, options.seed)
            past.copy_to(stored, soak.state)
            try:
                return asyncio.run(soak.run())
            except BaseException:
                soak.show_logs()
                raise


class Soak:
    """One run."""

    def __init__(
        self, model: OpenAIStandInProcess, folder: Path, seconds: float, customers: int, seed: int
    ) -> None:
        self.state = folder / "var"
        self._model = model
        self._folder = folder
        self._seconds = seconds
        self._at_once = customers
        self._chance = random.Random(seed)
        self._counts = Counts()
        self._askers: list[Asker] = []
        self._over = asyncio.Event()

    def show_logs(self, lines: int = 25) -> None:
        """The ends of the processes' logs, which go with the folder."""
        for file in sorted(self._folder.glob("*.log")):
            print(f"--- {file.name}", *file.read_text(errors="replace").splitlines()[-lines:], sep="\n")

    async def run(self) -> int:
        """The load, the checks, the restarts; the exit code."""
        async with WhatsAppServer() as server, MidtransServer(minute_s=0.5) as midtrans:
            port = free_port()
            environment = {
                **environment_for(self._model.base_url, self.state),
                **midtrans.environment,
                "WEBHOOKS_PORT": str(port),
                # Money's path is the same whoever tells of it; nobody reaches a real address here.
                "PUBLIC_URL": f"http://127.0.0.1:{port}",
            }
            midtrans.notify_url = f"http://127.0.0.1:{port}/midtrans/notification"
            settings = Settings.load({**environment, "DATA_DIR": str(DATA)}, env_file=None)
            with process("run_webhooks.py", server, environment, self._folder) as webhooks:
                store = await SqliteStore.open(settings.sqlite_path)
                try:
                    return await self._load(server, midtrans, environment, settings, store, webhooks)
                finally:
                    await store.close()

    async def _load(
        self,
        server: WhatsAppServer,
        midtrans: MidtransServer,
        environment: dict[str, str],
        settings: Settings,
        store: SqliteStore,
        webhooks: subprocess.Popen[bytes],
    ) -> int:
        counts = self._counts
        async with contextlib.AsyncExitStack() as stack:
            bot = stack.enter_context(process("run_bot.py", server, environment, self._folder))
            await server.owner.scan(await self._qr())
            await server.online(PATIENCE_S)
            buyers = [
                await server.customer(f"62899{number:08d}", lid=Addressing.LID) for number in range(BUYERS)
            ]
            for buyer in buyers:
                await buyer.send("halo")
                await buyer.receive(PATIENCE_S)
            shop = await stack.enter_async_context(_till(settings, store))
            began = time.monotonic()
            questions = itertools.cycle(ask.text for ask in itertools.islice(asks(1, seed=7), 2_000))
            numbers = itertools.count()
            load = [
                asyncio.create_task(self._customers_in_turn(server, numbers, questions, store))
                for _ in range(self._at_once)
            ]
            load.append(asyncio.create_task(self._pay(shop, midtrans, store, buyers)))
            trouble = asyncio.create_task(self._trouble(server))
            watch = asyncio.create_task(self._sample(bot, webhooks, began))
            await self._loaded(began)
            # What follows is about stopping; a process that starts has another memory.
            for task in (trouble, watch):
                task.cancel()
            await asyncio.gather(trouble, watch, return_exceptions=True)
            self._model.control(mode="ok")
            for _ in range(RESTARTS):
                started = time.monotonic()
                bot.send_signal(signal.SIGTERM)
                counts.codes.append(await asyncio.to_thread(bot.wait, PATIENCE_S))
                counts.stops_s.append(time.monotonic() - started)
                started = time.monotonic()
                bot = stack.enter_context(process("run_bot.py", server, environment, self._folder))
                await server.online(PATIENCE_S)
                counts.restarts_s.append(time.monotonic() - started)
                # A stop in the middle of a start waits for the start's end: that would be another figure.
                await self._answering()
            self._over.set()
            await asyncio.gather(*load)
            await midtrans.delivered(PATIENCE_S)
            await self._settled(store)
            counts.customers = len(self._askers)
            wrong = wrongs(
                counts,
                await store.read(books, slow=True),
                surplus=sum(asker.surplus for asker in self._askers),
                shown=[each.text for buyer in buyers for each in buyer.received if each.kind == "document"],
            )
            state = await store.read(lambda c: standing.read(c, ACCOUNT))
            print(f"state at the end: {state.state if state else '-'}; {counts.drops} drops", flush=True)
        return tell(counts, wrong, self._seconds)

    async def _loaded(self, began: float) -> None:
        """The whole time, or until somebody presses Ctrl-C: then all is judged over the time that was."""
        enough = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGINT, enough.set)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(enough.wait(), self._seconds)
        self._seconds = time.monotonic() - began

    async def _answering(self) -> None:
        before = self._counts.answered
        async with asyncio.timeout(PATIENCE_S):
            while self._counts.answered < before + self._at_once:  # noqa: ASYNC110 - tasks that set no event.
                await asyncio.sleep(0.1)

    async def _customers_in_turn(
        self, server: WhatsAppServer, numbers: Iterator[int], questions: Iterator[str], store: SqliteStore
    ) -> None:
        """One customer after the other, none with more questions than the product answers him in a day."""
        while not self._over.is_set():
            asker = Asker(server, person(next(numbers)))
            self._askers.append(asker)
            await self._ask(asker, itertools.islice(questions, QUESTIONS_EACH), store)

    async def _ask(self, asker: Asker, questions: Iterator[str], store: SqliteStore) -> None:
        for question in questions:
            if self._over.is_set():
                return
            self._counts.asked += 1
            answer = asyncio.create_task(asker.ask(question, patience_s=ANSWER_PATIENCE_S))
            if not (await asyncio.wait([answer], timeout=SUSPICIOUS_S))[0]:
                # Where it is now is known only now.
                rows = await store.read(lambda c: newest_rows(c, str(asker.jid)), slow=True)
                unconfirmed = sum(len(each.pending) for each in asker.network.companions.values())
                print(f"{time.strftime('%T')} no answer for {SUSPICIOUS_S:.0f} s in {asker.jid},", end=" ")
                print(f"{unconfirmed} stanzas unconfirmed:", *rows, sep="\n  ", flush=True)
            try:
                took_s = await answer / 1000
                self._counts.slowest_s = max(self._counts.slowest_s, took_s)
                self._counts.answered += 1
            except TimeoutError:
                self._counts.lost += 1
            await asyncio.sleep(self._chance.uniform(0, MOST_PAUSE_S))

    async def _pay(
        self, shop: Checkout, midtrans: MidtransServer, store: SqliteStore, buyers: Sequence[Customer]
    ) -> None:
        chats = await store.read(lambda c: chats_of_buyers(c, BUYERS), slow=True)
        assert len(chats) == len(buyers), f"{len(chats)} of {len(buyers)} buyers are known"
        while not self._over.is_set():
            customer_id, chat = self._chance.choice(chats)
            line = Line(
                kind=LineKind.ITEM,
                code="IH20",
                name="Paket",
                quantity=1,
                unit_idr=self._chance.randrange(10, 400) * 1_000,
            )
            order = await store.write(
                lambda c, line=line, chat=chat, customer_id=customer_id: orders.create(  # type: ignore[misc]  # mypy infers no type for a lambda with defaults.
                    c,
                    account=ACCOUNT,
                    customer_id=customer_id,
                    transport="whatsapp",
                    chat=chat,
                    lines=[line],
                    expires_in_ms=3_600_000,
                    details={},
                )
            )
            attempt = await shop.link(order.id)
            await midtrans.pay(attempt.id, "qris")
            # Every notification comes twice, as it does in life.
            midtrans.notify(attempt.id)
            self._counts.paid.append(order.id)
            await asyncio.sleep(BETWEEN_PAYMENTS_S)

    async def _trouble(self, server: WhatsAppServer) -> None:
        while True:
            await asyncio.sleep(BETWEEN_FAULTS_S)
            self._model.control(**self._chance.choice(_FAULTS))
            await asyncio.sleep(BETWEEN_FAULTS_S / 2)
            self._model.control(mode="ok")
            with contextlib.suppress(TimeoutError):
                await server.drop()
                self._counts.drops += 1

    async def _sample(
        self, bot: subprocess.Popen[bytes], webhooks: subprocess.Popen[bytes], began: float
    ) -> None:
        while True:
            now = time.monotonic() - began
            for running, samples in ((bot, self._counts.bot_rss), (webhooks, self._counts.webhooks_rss)):
                samples.append((now, psutil.Process(running.pid).memory_info().rss / 2**20))
            await asyncio.sleep(SAMPLE_S)

    async def _qr(self) -> str:
        import json

        file = self.state / f"{ACCOUNT}-pairing.json"
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with contextlib.suppress(OSError, ValueError, KeyError):
                    return str(json.loads(file.read_bytes())["qr"])
                await asyncio.sleep(0.05)

    async def _settled(self, store: SqliteStore) -> None:
        """Until nothing waits in any queue and every invoice is delivered."""
        async with asyncio.timeout(PATIENCE_S):
            while await store.read(unfinished, slow=True):  # noqa: ASYNC110 - other processes set no event here.
                await asyncio.sleep(0.2)


@contextlib.asynccontextmanager
async def _till(settings: Settings, store: SqliteStore) -> AsyncIterator[Checkout]:
    """What makes payment links, as the bot does after a customer's *ya*."""
    shop = Shop.load(settings.data_dir, name=settings.shop_name)
    till = Till.of(settings, shop, Wording.load(settings.data_dir, shop))
    async with Midtrans(settings.billing) as midtrans:
        payments = Payments(store=store, midtrans=midtrans, till=till, outage=Outage(store=store, till=till))
        yield Checkout(store=store, midtrans=midtrans, payments=payments)


if __name__ == "__main__":
    sys.exit(main())
