"""Bots on the loopback WhatsApp server, each a process of its own, and the phones that ask them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil

from bench.past import Past, copy_to
from bench.questions import PROJECT, Ask, person
from bench.settings import environment_for
from sandbox.parent import end_with_parent
from sandbox.surroundings import surroundings
from sandbox.whatsapp.contents import Received
from sandbox.whatsapp.customer import Addressing, Customer
from sandbox.whatsapp.server import WhatsAppServer

# Longer than any answer or start takes, however loaded the machine is.
_PATIENCE_S = 120.0
# Between an answer and the next question of a lone customer: the bot writes down what it sent, and rests.
REST_S = 0.03
# After the last answer of a crowd, before its cost is read: what belongs to the answers is done by then.
_SETTLE_S = 0.5
_ACCOUNT = "utama"
# A bot that outlived a killed benchmark would try to reconnect for ever.
_AT_ONCE_WITH_PARENT = partial(end_with_parent, signal.SIGKILL)


class Asker(Customer):
    """A customer with a stopwatch: from his send to the moment when he can read the answer."""

    def __init__(self, server: WhatsAppServer, number: str) -> None:
        directory = server.network.directory
        super().__init__(server.network, directory.enter(number, number), Addressing.LID)
        self._answer: asyncio.Future[float] | None = None
        # Answers that nobody waited for: with them, times would belong to other questions.
        self.surplus = 0

    async def ask(self, text: str, *, patience_s: float = _PATIENCE_S) -> float:
        """Milliseconds until the first answer was decrypted."""
        self._answer = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await self.send(text)
        async with asyncio.timeout(patience_s):
            return (await self._answer - began) * 1000

    def keep(self, received: Received) -> None:
        """Called as soon as a message is decrypted. It is not kept: ten thousand would be."""
        answer, self._answer = self._answer, None
        if answer is None:
            self.surplus += 1
        else:
            answer.set_result(time.perf_counter())


@dataclass(frozen=True, kw_only=True, slots=True)
class Cost:
    """What a crowd's block cost: its answers a second, and CPU milliseconds an answer."""

    a_second: float
    bot_cpu_ms: float
    server_cpu_ms: float  # of the server and all phones, which share one thread

    @property
    def server_ceiling(self) -> float:
        """Answers a second that the server and the phones could take part in if nothing else ran."""
        return 1000 / self.server_cpu_ms


class LinkedBot:
    """One bot's process, its own server and its customers."""

    def __init__(self, server: WhatsAppServer, process: subprocess.Popen[bytes], qr_file: Path) -> None:
        self._started = time.perf_counter()
        self._server = server
        self._process = process
        self._qr_file = qr_file
        self._askers: dict[int, Asker] = {}

    @property
    def process(self) -> psutil.Process:
        return psutil.Process(self._process.pid)

    def command(self, line: str) -> None:
        """Give the launcher a line to obey."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line}\n".encode())
        self._process.stdin.flush()

    async def qr(self) -> str:
        """The first pairing code, as soon as it is shown."""
        async with asyncio.timeout(_PATIENCE_S):
            while not self._qr_file.exists():
                if self._process.poll() is not None:
                    raise RuntimeError(f"a bot ended with {self._process.returncode} before it showed a code")
                await asyncio.sleep(0.002)
        shown = self._qr_file.read_text()
        return str(json.loads(shown)["qr"]) if shown.startswith("{") else shown

    async def time_to_qr_s(self) -> float:
        """Seconds from the process's start to the text of its first pairing code."""
        await self.qr()
        return time.perf_counter() - self._started

    async def link(self) -> None:
        """Scan the code with the shop's phone, and have one message answered."""
        await self._server.owner.scan(await self.qr())
        await self._server.online(_PATIENCE_S)
        await self.asker(0).ask("halo")

    def asker(self, number: int) -> Asker:
        """The customer of this number; everybody keeps his phone."""
        if number not in self._askers:
            self._askers[number] = Asker(self._server, person(number))
        return self._askers[number]

    async def one_by_one(self, asks: Sequence[Ask]) -> list[float]:
        """The asks one after the other; milliseconds of each."""
        found = []
        for ask in asks:
            found.append(await self.asker(ask.customer).ask(ask.text))
            await asyncio.sleep(REST_S)
        self._look_for_surplus()
        return found

    async def crowd(self, asks: Sequence[Ask], *, at_once: int | None = None) -> Cost:
        """All customers, or ``at_once`` of them at a time, each asking again as soon as he has his answer."""
        by_customer: dict[int, list[str]] = {}
        for ask in asks:
            by_customer.setdefault(ask.customer, []).append(ask.text)

        places = asyncio.Semaphore(at_once or len(by_customer))

        async def one_chat(asker: Asker, texts: list[str]) -> None:
            async with places:
                for text in texts:
                    await asker.ask(text)

        chats = [one_chat(self.asker(customer), texts) for customer, texts in by_customer.items()]
        bot, server, began = cpu_s(self.process), time.process_time(), time.perf_counter()
        await asyncio.gather(*chats)
        took_s = time.perf_counter() - began
        await asyncio.sleep(_SETTLE_S)
        bot, server = cpu_s(self.process) - bot, time.process_time() - server
        self._look_for_surplus()
        return Cost(
            a_second=len(asks) / took_s,
            bot_cpu_ms=bot * 1000 / len(asks),
            server_cpu_ms=server * 1000 / len(asks),
        )

    def resident_mb(self) -> float:
        """What the process holds in memory."""
        return float(self.process.memory_info().rss) / 2**20

    def _look_for_surplus(self) -> None:
        if surplus := sum(asker.surplus for asker in self._askers.values()):
            raise RuntimeError(f"{surplus} answers came that nobody waited for; the times are worthless")


@contextlib.asynccontextmanager
async def balas(
    past: Past, base_url: str, folder: Path, *, timings: Path | None = None
) -> AsyncIterator[LinkedBot]:
    """The product in a state folder of its own; with ``timings`` its callbacks are timed into that file."""
    state = folder / "var"
    copy_to(past, state)
    plain, timed = [str(PROJECT / "run_bot.py")], ["-m", "bench.timed_bot", str(timings)]
    script = plain if timings is None else timed
    environment = environment_for(base_url, state)
    command = [*script, "--channel", "whatsapp"]
    async with WhatsAppServer() as server:
        with running(command, server, folder, environment) as process:
            yield LinkedBot(server, process, state / f"{_ACCOUNT}-pairing.json")


@contextlib.asynccontextmanager
async def baseline(name: str, folder: Path, *arguments: str) -> AsyncIterator[LinkedBot]:
    """One of ``bench.baselines`` that runs on neonize."""
    folder.mkdir(parents=True)
    session = folder / "session.db"
    command = ["-m", f"bench.baselines.{name}", str(session), *arguments]
    async with WhatsAppServer() as server:
        with running(command, server, folder, {}) as process:
            yield LinkedBot(server, process, folder / "session.db.qr")


@contextlib.contextmanager
def bare_commits(folder: Path) -> Iterator[Path]:
    """While this lasts, another process commits to a file of its own; its times are in the given one."""
    times = folder / "commits"
    with times.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.commits", str(folder / "busy.db")],
            cwd=PROJECT,
            stdout=out,
            preexec_fn=_AT_ONCE_WITH_PARENT,
        )
    try:
        yield times
    finally:
        process.kill()
        process.wait()


def environment_beside(server: WhatsAppServer, environment: Mapping[str, str]) -> dict[str, str]:
    """For a process whose neonize finds the server; nothing of the developer's own settings."""
    theirs = server.environment
    path = os.pathsep.join((theirs["PYTHONPATH"], str(PROJECT)))
    return {**surroundings(), **theirs, **environment, "PYTHONPATH": path}


@contextlib.contextmanager
def running(
    command: Sequence[str],
    server: WhatsAppServer,
    folder: Path,
    environment: dict[str, str],
    *,
    log_name: str = "log",
) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process whose neonize finds the server; killed at the end, for it may be unpaired."""
    with (folder / log_name).open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *command],
            cwd=folder,
            env=environment_beside(server, environment),
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            preexec_fn=_AT_ONCE_WITH_PARENT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()


def cpu_s(process: psutil.Process) -> float:
    """CPU seconds that the process has used, with all its threads."""
    times = process.cpu_times()
    return float(times.user + times.system)
