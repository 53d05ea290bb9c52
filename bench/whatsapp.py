"""What Balas costs on WhatsApp, seen from the customer's phone.

    python -m bench.whatsapp [--quick | --full]

Three bots take turns in blocks, round by round: Balas, a bare neonize echo, and that echo with one embedding
and one chat call (``bench.baselines``). Each has its own loopback server in this process, all ask the same
stand-in model, which answers at once, and the AI bot sends the very bodies that Balas sent. A time runs
from the customer's send to the decrypted answer on his phone; both ends' own encryption is in it.

``--full`` also tells what 1,000 chats with 20 active at once leave in memory (alone: ``--only chats``).
``--only switch`` prints what each switch interval of Python does, on one running bot.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import past
from bench.commits import commits_ms
from bench.figures import figure, median, median_ratio, number, quantile
from bench.linked import REST_S, Cost, LinkedBot, balas, bare_commits, baseline
from bench.past import Past
from bench.questions import Ask, asks
from sandbox.openai.process import OpenAIStandInProcess

CHATS = 200
MANY_CUSTOMERS = 500
CHATS_IN_ALL, ACTIVE_CHATS = 1_000, 20
_TURNS = 1_000  # of other customers, in the store beforehand
_SWITCH_INTERVALS_S = (0.005, 0.002, 0.001, 0.0005, 0.0002, 0.0001)
# The histories of all chats are as long as they get in a prompt after so many answers each.
_FULL_HISTORY = 8


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How much is measured."""

    rounds: int
    singles: int  # messages of one block with one chat
    each: int  # messages of each chat in one block with 200 chats
    starts: int
    messages: int  # for the memory figures


PLANS = {
    "quick": Plan(rounds=3, singles=30, each=2, starts=3, messages=1_000),
    "usual": Plan(rounds=5, singles=60, each=3, starts=5, messages=2_000),
    "full": Plan(rounds=9, singles=120, each=5, starts=5, messages=10_000),
}


class Times:
    """Reads a file of milliseconds that another process writes, block by block."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._read = 0

    def new_ms(self) -> list[float]:
        """The times since the last look."""
        data = self._file.read_bytes()
        fresh, self._read = data[self._read :], len(data)
        return [float(line) for line in fresh.split()]


@dataclass(slots=True)
class Samples:
    """What one side gave, one entry a round."""

    p50_ms: list[float] = field(default_factory=list)
    p95_ms: list[float] = field(default_factory=list)
    crowds: list[Cost] = field(default_factory=list)

    def singles(self, found: Sequence[float]) -> None:
        self.p50_ms.append(median(found))
        self.p95_ms.append(quantile(found, 0.95))

    @property
    def a_second(self) -> list[float]:
        return [cost.a_second for cost in self.crowds]

    @property
    def cpu_ms(self) -> list[float]:
        return [cost.bot_cpu_ms for cost in self.crowds]

    @property
    def ceiling(self) -> float:
        return median(cost.server_ceiling for cost in self.crowds)


@dataclass(slots=True)
class Heard:
    """Milliseconds of the bridge's callbacks, until the commit, and of bare commits at the same times."""

    idle_ms: list[float] = field(default_factory=list)
    busy_ms: list[float] = field(default_factory=list)
    committed_idle_ms: list[float] = field(default_factory=list)
    committed_busy_ms: list[float] = field(default_factory=list)
    bare_idle_ms: list[float] = field(default_factory=list)
    bare_busy_ms: list[float] = field(default_factory=list)


def void_when_server_bound(*, ceiling: float, rate: float) -> str:
    """A server that could not take twice the rate hides what the bots differ in."""
    return "server-bound" if ceiling < 2 * rate else ""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 0 whatever they are."""
    parser = argparse.ArgumentParser(prog="python -m bench.whatsapp", description=__doc__.split("\n")[0])
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_const", const="quick", dest="size")
    sizes.add_argument("--full", action="store_const", const="full", dest="size")
    parser.add_argument(
        "--only", choices=("speed", "memory", "start", "chats", "switch"), help="one part of it"
    )
    options = parser.parse_args(arguments)
    plan = PLANS[options.size or "usual"]
    with OpenAIStandInProcess() as model:
        stored = past.ready(_TURNS, model.base_url)
        # Beside the built stores, so that the runs write to the same disk as any bot would.
        with tempfile.TemporaryDirectory(prefix="run-", dir=past.cache_folder()) as name:
            folder = Path(name)
            if options.only in (None, "speed"):
                asyncio.run(speed(plan, model, stored, folder))
            if options.only in (None, "start"):
                asyncio.run(start(plan, model, stored, folder))
            if options.only in (None, "memory"):
                asyncio.run(memory(plan, model, stored, folder))
            if options.only == "chats" or (options.only is None and options.size == "full"):
                asyncio.run(chats(plan, model, stored, folder))
            if options.only == "switch":
                asyncio.run(switch(plan, model, stored, folder))
    return 0


# --- Speed ------------------------------------------------------------------------------------------------


async def speed(plan: Plan, model: OpenAIStandInProcess, stored: Past, folder: Path) -> None:
    """Times, rates and CPU beside both baselines, and how long the bridge's callback takes."""
    timings, calls = folder / "callbacks", folder / "calls.jsonl"
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(
            balas(stored, model.base_url, folder / "balas", timings=timings)
        )
        await ours.link()
        await _record_calls(model, ours, calls)
        ai_bot = await stack.enter_async_context(
            baseline("bare_ai_bot", folder / "bare-ai", model.base_url, str(calls))
        )
        echo = await stack.enter_async_context(baseline("neonize_echo", folder / "echo"))
        for bot in (ai_bot, echo):
            await bot.link()
            await bot.crowd(_crowd(each=1, seed=1))
        sides = {"balas": ours, "bare AI bot": ai_bot, "echo": echo}
        found = {name: Samples() for name in sides}
        callbacks, commits, heard = Times(timings), Times(Path(f"{timings}.committed")), Heard()
        for number_of_round in range(plan.rounds):
            for name in _turned(list(sides), number_of_round):
                bot, samples = sides[name], found[name]
                callbacks.new_ms(), commits.new_ms()
                samples.singles(await bot.one_by_one(_singles(plan.singles, number_of_round)))
                heard.idle_ms += callbacks.new_ms()
                heard.committed_idle_ms += commits.new_ms()
                with bare_commits(folder) as file:
                    samples.crowds.append(await bot.crowd(_crowd(each=plan.each, seed=number_of_round)))
                    if bot is ours:
                        heard.bare_busy_ms += Times(file).new_ms()
                heard.busy_ms += callbacks.new_ms()
                heard.committed_busy_ms += commits.new_ms()
            heard.bare_idle_ms += await asyncio.to_thread(
                commits_ms, folder / "idle.db", plan.singles, every_s=REST_S
            )
            _tell_round(number_of_round, found)
    _tell_speed(found)
    _tell_callbacks(heard)


def _tell_round(number_of_round: int, found: dict[str, Samples]) -> None:
    sides = "; ".join(
        f"{name} {side.p50_ms[-1]:.1f} ms, {side.a_second[-1]:.0f}/s, CPU {side.cpu_ms[-1]:.1f} ms, "
        f"server {side.crowds[-1].server_cpu_ms:.1f} ms"
        for name, side in found.items()
    )
    load = os.getloadavg()[0]
    print(f"round {number_of_round + 1}: {sides}; load {load:.1f}", file=sys.stderr, flush=True)


def _tell_speed(found: dict[str, Samples]) -> None:
    our, ai_bot, echo = found["balas"], found["bare AI bot"], found["echo"]
    for name, side in (("", our), ("bare_ai_", ai_bot), ("echo_", echo)):
        figure(f"whatsapp.{name}p50", median(side.p50_ms), "ms")
        figure(f"whatsapp.{name}p95", median(side.p95_ms), "ms")
        figure(f"whatsapp.{name}throughput", median(side.a_second), "answers/s")
        figure(f"whatsapp.{name}cpu", median(side.cpu_ms), "ms")
        figure(f"whatsapp.{name}server_ceiling", side.ceiling, "answers/s")
    figure("whatsapp.p50_ratio", median_ratio(our.p50_ms, ai_bot.p50_ms), "x", at_most=1.4)
    figure(
        "whatsapp.throughput_ratio",
        median_ratio(our.a_second, ai_bot.a_second),
        "x",
        at_least=0.7,
        void=void_when_server_bound(ceiling=our.ceiling, rate=median(our.a_second)),
    )
    beyond = [ours - theirs for ours, theirs in zip(our.cpu_ms, ai_bot.cpu_ms, strict=True)]
    figure("whatsapp.cpu_beyond_bare_ai", median(beyond), "ms", at_most=5)


def _tell_callbacks(heard: Heard) -> None:
    for name, found in (
        ("bare_commit_idle", heard.bare_idle_ms),
        ("bare_commit_busy", heard.bare_busy_ms),
        ("callback_idle", heard.idle_ms),
        ("committed_idle", heard.committed_idle_ms),
        ("committed_busy", heard.committed_busy_ms),
    ):
        figure(f"whatsapp.{name}_p50", median(found), "ms")
        figure(f"whatsapp.{name}_p99", quantile(found, 0.99), "ms")
    ratio = quantile(heard.committed_idle_ms, 0.99) / quantile(heard.bare_idle_ms, 0.99)
    figure("whatsapp.committed_idle_ratio", ratio, "x", at_most=3)
    figure("whatsapp.callback_busy_p50", median(heard.busy_ms), "ms")
    figure("whatsapp.callback_busy_p99", quantile(heard.busy_ms, 0.99), "ms", at_most=15)


async def _record_calls(model: OpenAIStandInProcess, bot: LinkedBot, file: Path) -> None:
    """Fill all chats' histories, and keep the bodies of the bot's last requests for the AI bot."""
    await bot.crowd(_crowd(each=_FULL_HISTORY, seed=100))
    await bot.one_by_one(_singles(_FULL_HISTORY, 100))
    model.control(record=True)
    await bot.crowd(_crowd(each=1, seed=101))
    model.control(record=False)
    bodies = model.requests()["bodies"]
    file.write_text("".join(json.dumps(body) + "\n" for body in bodies), encoding="utf-8")


def _singles(count: int, seed: int) -> list[Ask]:
    """One customer's questions."""
    return [Ask(customer=0, text=ask.text) for ask in itertools.islice(asks(1, seed=seed), count)]


def _crowd(*, each: int, seed: int, chats: int = CHATS) -> list[Ask]:
    """So many questions of each of 200 other customers."""
    found = itertools.islice(asks(chats, seed=seed), chats * each)
    return [Ask(customer=1 + ask.customer, text=ask.text) for ask in found]


def _turned(names: list[str], places: int) -> list[str]:
    """Another side comes first in every round."""
    first = places % len(names)
    return names[first:] + names[:first]


# --- Start ------------------------------------------------------------------------------------------------


async def start(plan: Plan, model: OpenAIStandInProcess, stored: Past, folder: Path) -> None:
    """From the process's start to the text of the first pairing code."""
    balas_s, bare_s = [], []
    for number_of_round in range(plan.starts + 1):
        place = folder / f"start-{number_of_round}"
        place.mkdir()
        async with balas(stored, model.base_url, place / "balas") as bot:
            ours = await bot.time_to_qr_s()
        async with baseline("neonize_echo", place / "echo") as bot:
            bare = await bot.time_to_qr_s()
        if number_of_round:  # The first one warmed the caches of files.
            balas_s.append(ours)
            bare_s.append(bare)
    figure("whatsapp.start_to_qr", median(balas_s), "s")
    figure("whatsapp.echo_start_to_qr", median(bare_s), "s")
    beyond = median(ours - bare for ours, bare in zip(balas_s, bare_s, strict=True))
    figure("whatsapp.start_beyond_echo", beyond, "s", at_most=1.0)


# --- Memory -----------------------------------------------------------------------------------------------


async def memory(plan: Plan, model: OpenAIStandInProcess, stored: Past, folder: Path) -> None:
    """What the process holds after many messages of 500 customers, 200 of them at a time."""
    questions = asks(MANY_CUSTOMERS, seed=3)
    async with balas(stored, model.base_url, folder / "memory") as bot:
        await bot.link()
        figure("whatsapp.rss_at_start", bot.resident_mb(), "MB")
        half = plan.messages // 2
        await _ask_many(bot, questions, half)
        early = bot.resident_mb()
        figure(f"whatsapp.rss_after_{half}", early, "MB")
        await _ask_many(bot, questions, plan.messages - half)
        late = bot.resident_mb()
    is_full = plan.messages >= 10_000
    figure(f"whatsapp.rss_after_{plan.messages}", late, "MB", at_most=200)
    # A short run has not come to rest at its half.
    growth = 100 * (late / early - 1)
    figure("whatsapp.rss_growth", growth, "%", at_most=5 if is_full else None)


async def _ask_many(bot: LinkedBot, questions: Iterator[Ask], count: int) -> None:
    for start_at in range(0, count, CHATS):
        await bot.crowd(list(itertools.islice(questions, min(CHATS, count - start_at))))


async def chats(plan: Plan, model: OpenAIStandInProcess, stored: Past, folder: Path) -> None:
    """What the process holds after 1,000 chats, 20 of them active at once."""
    asked = _crowd(each=plan.each, seed=5, chats=CHATS_IN_ALL)
    async with balas(stored, model.base_url, folder / "chats") as bot:
        await bot.link()
        cost = await bot.crowd(asked, at_once=ACTIVE_CHATS)
        figure(f"whatsapp.rss_{CHATS_IN_ALL}_chats", bot.resident_mb(), "MB", at_most=220)
    figure(f"whatsapp.throughput_{ACTIVE_CHATS}_active", cost.a_second, "answers/s")


# --- The switch interval ----------------------------------------------------------------------------------


async def switch(plan: Plan, model: OpenAIStandInProcess, stored: Past, folder: Path) -> None:
    """How long the callback takes with 200 chats, when a message is committed, and what an answer costs."""
    timings = folder / "callbacks"
    callbacks, commits = Times(timings), Times(Path(f"{timings}.committed"))
    measured: dict[float, list[tuple[float, ...]]] = {each: [] for each in _SWITCH_INTERVALS_S}
    async with balas(stored, model.base_url, folder / "switch", timings=timings) as bot:
        await bot.link()
        await bot.crowd(_crowd(each=_FULL_HISTORY, seed=1))
        for number_of_round in range(plan.rounds):
            for interval_s in _SWITCH_INTERVALS_S[:: -1 if number_of_round % 2 else 1]:
                bot.command(str(interval_s))
                await asyncio.sleep(0.1)
                callbacks.new_ms(), commits.new_ms()
                single = median(await bot.one_by_one(_singles(plan.singles, number_of_round)))
                idle = commits.new_ms()
                callbacks.new_ms()
                cost = await bot.crowd(_crowd(each=plan.each, seed=number_of_round))
                busy = commits.new_ms()
                measured[interval_s].append(
                    (
                        quantile(callbacks.new_ms(), 0.99),
                        quantile(idle, 0.99),
                        median(busy),
                        quantile(busy, 0.99),
                        single,
                        cost.a_second,
                        cost.bot_cpu_ms,
                    )
                )
    heads = (
        *("interval ms", "callback p99", "idle p99", "busy p50", "busy p99"),
        *("one chat p50", "answers/s", "CPU ms"),
    )
    print("".join(f"{head:>14}" for head in heads))
    for interval_s, rows in measured.items():
        values = [interval_s * 1000, *(statistics.median(column) for column in zip(*rows, strict=True))]
        print("".join(f"{number(value):>14}" for value in values))


if __name__ == "__main__":
    sys.exit(main())
