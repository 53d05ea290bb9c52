"""The payment process under notifications: ``python -m bench.webhooks [--quick | --full]``.

The sender is a process of its own. Compared is the door alone with the smallest handler that does the same;
the other figures are of the real process with its workers, Midtrans's and Starsender's stand-ins beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import structlog

from bench.figures import figure, median, median_ratio, quantile
from bench.pipe import Pipe
from bench.questions import PROJECT
from billing.checkout import Checkout
from billing.midtrans import Midtrans
from billing.outage import Outage
from billing.payments import Payments
from billing.till import Till
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from sandbox.midtrans import MidtransServer
from sandbox.starsender import StarsenderServer
from sandbox.surroundings import surroundings
from store import customers, invoices, orders
from store.attempts import Attempt
from store.customers import Address
from store.orders import Line, LineKind
from store.sqlite import SqliteStore

IN_FLIGHT = 64
STEADY_PER_S = 200
GOAL_RATIO = 0.8
GOAL_P99_MS = 50.0
GOAL_HANDED_MS = 300.0
GOAL_RSS_MB = 80.0
_LINES = (Line(kind=LineKind.ITEM, code="IH20", name="Paket 20 Mbps", quantity=1, unit_idr=770_000),)
_START_S = 60.0


def compare(environment: dict[str, str], folder: Path, sender: Pipe, *, rounds: int, count: int) -> None:
    """The door alone beside the bare handler, taking turns."""
    key = environment["MIDTRANS_SERVER_KEY"]
    rates: dict[str, list[float]] = {"ours": [], "bare": []}
    with (
        Pipe("bench.webhook_door", env=environment, is_quiet=True) as door,
        Pipe("bench.baselines.bare_webhook", str(folder / "bare.db"), key, is_quiet=True) as bare,
    ):
        sides = {"ours": door.told["port"], "bare": bare.told["port"]}
        for number in range(rounds + 1):
            for side, port in sides.items():
                done = sender.ask({"port": port, "key": key, "count": count, "in_flight": IN_FLIGHT})
                assert done["refused"] == 0, f"{side} refused {done['refused']} notifications"
                # The first round warms both up.
                if number:
                    rates[side].append(count / done["took_s"])
    figure("webhooks.recorded", median(rates["ours"]), "/s")
    figure("webhooks.recorded_bare", median(rates["bare"]), "/s")
    ratio = median_ratio(rates["ours"], rates["bare"])
    figure("webhooks.recorded_ratio", ratio, "x", at_least=GOAL_RATIO)


@contextlib.asynccontextmanager
async def service(environment: dict[str, str]) -> AsyncIterator[tuple[int, int]]:
    """The real process; its port and its id."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "run_webhooks.py"),
        cwd=PROJECT,
        env=environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 20,
    )
    assert process.stderr is not None
    port = 0
    async with asyncio.timeout(_START_S):
        while not port:
            line = await process.stderr.readline()
            if not line:
                raise RuntimeError("the payment process did not start")
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                port = told.get("port", 0) if told.get("event") == "webhooks_started" else 0
    log = asyncio.create_task(_drain(process.stderr))
    try:
        yield port, process.pid
    finally:
        process.terminate()
        await process.wait()
        await log


async def _drain(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


async def sold(settings: Settings, store: SqliteStore, midtrans: MidtransServer, count: int) -> list[Attempt]:
    """So many links, each paid at Midtrans without a word to anybody."""
    shop = Shop(nama="Toko Uji")
    till = Till.of(settings, shop, Wording.load(settings.data_dir, shop))
    midtrans.drop_notifications()
    made: list[Attempt] = []
    async with Midtrans(settings.billing) as client:
        payments = Payments(store=store, midtrans=client, till=till, outage=Outage(store=store, till=till))
        checkout = Checkout(store=store, midtrans=client, payments=payments)
        for _ in range(count):
            number = f"62812{int.from_bytes(os.urandom(4)) % 10**8:08d}"

            def order(connection: Any, number: str = number) -> str:
                customer, _ = customers.resolve(
                    connection, settings.account, [Address("s.whatsapp.net", number)], name="Budi"
                )
                return orders.create(
                    connection,
                    account=settings.account,
                    customer_id=customer.id,
                    transport="whatsapp",
                    chat=f"{number}@s.whatsapp.net",
                    lines=_LINES,
                    expires_in_ms=86_400_000,
                ).id

            made.append(await checkout.link(await store.write(order)))
            await midtrans.pay(made[-1].id, "gopay")
    return made


async def live(
    environment: dict[str, str],
    sender: Pipe,
    midtrans: MidtransServer,
    starsender: StarsenderServer,
    count: int,
) -> None:
    """The figures of the whole process."""
    settings = Settings.load(environ=environment, env_file=None)
    store = await SqliteStore.open(settings.sqlite_path)

    async def ask(command: dict[str, Any]) -> dict[str, Any]:
        return await asyncio.to_thread(sender.ask, command)

    def bodies(made: Sequence[Attempt]) -> list[str]:
        return [json.dumps(midtrans.desk.notification(midtrans.transaction(one.id))) for one in made]

    async def confirmed(made: Sequence[Attempt]) -> None:
        left = {one.order_id for one in made}
        while left:
            found = await store.read(lambda c: [one for one in left if invoices.of_order(c, one)])
            left.difference_update(found)
            await asyncio.sleep(0.01)

    key = environment["MIDTRANS_SERVER_KEY"]
    try:
        async with service(environment) as (port, pid):
            await ask({"port": port, "key": key, "count": 200, "in_flight": 8})
            steady = await ask({"port": port, "key": key, "count": STEADY_PER_S * 10, "per_s": STEADY_PER_S})
            figure("webhooks.answer_p50", median(steady["ms"]), "ms")
            figure("webhooks.answer_p99", quantile(steady["ms"], 0.99), "ms", at_most=GOAL_P99_MS)
            await _handed_over(ask, bodies, await sold(settings, store, midtrans, 20), starsender, port)
            made = await sold(settings, store, midtrans, count)
            began = time.perf_counter()
            await ask({"port": port, "bodies": bodies(made), "in_flight": IN_FLIGHT})
            await confirmed(made)
            figure("webhooks.confirmed", count / (time.perf_counter() - began), "/s")
            figure(f"webhooks.rss_{count}_invoices", resident_mb(pid), "MB", at_most=GOAL_RSS_MB)
    finally:
        await store.close()


async def _handed_over(
    ask: Any, bodies: Any, made: Sequence[Attempt], starsender: StarsenderServer, port: int
) -> None:
    """From a notification at the door to its invoice at Starsender, one after the other."""
    found: list[float] = []
    for one in made:
        before = len(starsender.sent)
        began = time.perf_counter()
        await ask({"port": port, "bodies": bodies([one]), "in_flight": 1})
        while len(starsender.sent) == before:  # noqa: ASYNC110 - the stand-in sets no event for us
            await asyncio.sleep(0.002)
        found.append((time.perf_counter() - began) * 1000)
    figure("webhooks.invoice_handed_p50", median(found), "ms", at_most=GOAL_HANDED_MS)


def resident_mb(pid: int) -> float:
    """What the process holds in memory (VmRSS); children apart."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("the process is gone")


def environment_in(folder: Path, midtrans: MidtransServer, starsender: StarsenderServer) -> dict[str, str]:
    """The product's settings with the stand-ins."""
    (folder / "data").mkdir(exist_ok=True)
    return {
        **surroundings(),
        "OPENAI_API_KEY": "kunci-ukur",
        "SHOP_NAME": "Toko Uji",
        "DATA_DIR": str(folder / "data"),
        "STATE_DIR": str(folder / "var"),
        "WEBHOOKS_PORT": "0",
        "LOG_FORMAT": "json",
        "PUBLIC_URL": "https://bayar.example",
        # One number for both: then nothing but Starsender sends the invoice.
        "WHATSAPP_NUMBER": starsender.number,
        **starsender.environment,
        **midtrans.environment,
    }


async def main(arguments: Sequence[str]) -> int:
    # Figures alone on the output: what the product logs in this process is for nobody.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rounds, count, invoiced = (3, 2000, 300) if "--quick" in arguments else (7, 5000, 1000)
    with tempfile.TemporaryDirectory(prefix="balas-bench-") as name:
        async with MidtransServer() as midtrans, StarsenderServer() as starsender:
            environment = environment_in(Path(name), midtrans, starsender)
            with Pipe("bench.notifier", is_quiet=True) as sender:
                alone = {**environment, "STATE_DIR": str(Path(name, "door"))}
                await asyncio.to_thread(compare, alone, Path(name), sender, rounds=rounds, count=count)
                await live(environment, sender, midtrans, starsender, invoiced)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
