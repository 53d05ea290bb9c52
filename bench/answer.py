"""What an answer costs beyond the model's calls: ``python -m bench.answer [--quick | --full]``.

Three processes take turns in blocks, round by round: the bot over a store with many turns, the bot over a
small one, and the bare calls of the model, which replay the very bodies that the bot sent. The model is the
stand-in, in a process of its own, answering at once. So every ratio is the worst case: a real model takes a
hundred times longer, and the bot's own share all but vanishes.

``--quick``: 20,000 turns and 2,000 answers for the memory figures instead of 200,000 and 10,000.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from bench import past
from bench.child import Child
from bench.figures import figure, median, median_ratio, quantile
from bench.past import HEAVY, Past
from bench.questions import Ask, asks, texts
from sandbox.openai.process import OpenAIStandInProcess

IN_FLIGHT = 20
SMALL_TURNS = 1_000
_WARM_UP = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Plan:
    """How much is measured."""

    turns: int
    rounds: int
    singles: int  # answers of one block with one in flight
    crowd: int  # answers of one block with 20 in flight
    memory_early: int  # answers before the first look at the memory, and before the second
    memory_late: int


PLANS = {
    "quick": Plan(turns=20_000, rounds=5, singles=40, crowd=120, memory_early=400, memory_late=2_000),
    "usual": Plan(turns=200_000, rounds=5, singles=80, crowd=240, memory_early=2_000, memory_late=10_000),
    "full": Plan(turns=200_000, rounds=15, singles=160, crowd=400, memory_early=2_000, memory_late=30_000),
}


@dataclass(slots=True)
class Samples:
    """What one side gave, one entry a round."""

    p50_ms: list[float] = field(default_factory=list)
    p95_ms: list[float] = field(default_factory=list)
    a_second: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)

    def singles(self, child: Child, asked: Sequence[Ask]) -> None:
        """A block with one in flight."""
        found = child.one_by_one(asked)
        self.p50_ms.append(median(found))
        self.p95_ms.append(quantile(found, 0.95))

    def crowd(self, child: Child, asked: Sequence[Ask]) -> None:
        """A block with 20 in flight."""
        a_second, cpu_ms = child.crowd(asked, in_flight=IN_FLIGHT)
        self.a_second.append(a_second)
        self.cpu_ms.append(cpu_ms)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the figures; 0 whatever they are."""
    parser = argparse.ArgumentParser(prog="python -m bench.answer", description=__doc__.split("\n")[0])
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_const", const="quick", dest="size")
    sizes.add_argument("--full", action="store_const", const="full", dest="size")
    parser.add_argument("--only", choices=("speed", "memory"), help="one half of it")
    options = parser.parse_args(arguments)
    plan = PLANS[options.size or "usual"]
    with OpenAIStandInProcess() as model:
        large = past.ready(plan.turns, model.base_url)
        small = past.ready(SMALL_TURNS, model.base_url)
        # Beside the built stores, so that the runs write to the same disk as any bot would.
        with tempfile.TemporaryDirectory(prefix="run-", dir=past.cache_folder()) as folder:
            if options.only != "memory":
                speed(plan, model, large, small, Path(folder))
            if options.only != "speed":
                memory(plan, model, large, Path(folder))
    return 0


def speed(plan: Plan, model: OpenAIStandInProcess, large: Past, small: Past, folder: Path) -> None:
    """Ratios to the bare calls, and how flat the bot stays when its past grows."""
    with ExitStack() as stack:
        ours = stack.enter_context(_bot(model, large, folder / "large"))
        ours_small = stack.enter_context(_bot(model, small, folder / "small"))
        many, few = asks(large.customers, seed=1), asks(small.customers, seed=2)
        calls = folder / "calls.jsonl"
        _record_calls(model, ours, _next(many, _WARM_UP), calls)
        ours_small.one_by_one(_next(few, _WARM_UP // 2))
        bare = stack.enter_context(
            Child("bare", "--base-url", model.base_url, "--folder", str(folder), "--calls", str(calls))
        )
        bare.one_by_one(_next(many, _WARM_UP))
        for child in (ours, bare):
            child.crowd(_next(many, _WARM_UP), in_flight=IN_FLIGHT)
        our, small_our, their = Samples(), Samples(), Samples()
        for number in range(plan.rounds):
            our.singles(ours, _next(many, plan.singles))
            their.singles(bare, _next(many, plan.singles))
            small_our.singles(ours_small, _next(few, plan.singles))
            our.crowd(ours, _next(many, plan.crowd))
            their.crowd(bare, _next(many, plan.crowd))
            print(
                f"round {number + 1}: one in flight {our.p50_ms[-1]:.2f} ms, "
                f"small past {small_our.p50_ms[-1]:.2f} ms, bare {their.p50_ms[-1]:.2f} ms; "
                f"{IN_FLIGHT} in flight {our.a_second[-1]:.0f}/s, bare {their.a_second[-1]:.0f}/s; "
                f"CPU {our.cpu_ms[-1]:.2f} ms, bare {their.cpu_ms[-1]:.2f} ms; "
                f"load {os.getloadavg()[0]:.1f}",
                file=sys.stderr,
                flush=True,
            )
    _tell(our, small_our, their)


def _tell(our: Samples, small: Samples, their: Samples) -> None:
    figure("answer.p50", median(our.p50_ms), "ms")
    figure("answer.p95", median(our.p95_ms), "ms")
    figure("answer.bare_p50", median(their.p50_ms), "ms")
    figure("answer.p50_ratio", median_ratio(our.p50_ms, their.p50_ms), "x", at_most=1.5)
    figure("answer.throughput", median(our.a_second), "answers/s")
    figure("answer.throughput_ratio", median_ratio(our.a_second, their.a_second), "x", at_least=0.65)
    beyond = [our_ms - their_ms for our_ms, their_ms in zip(our.cpu_ms, their.cpu_ms, strict=True)]
    figure("answer.cpu_beyond_calls", median(beyond), "ms", at_most=4)
    figure("answer.flat_p50_ratio", median_ratio(our.p50_ms, small.p50_ms), "x", at_most=1.2)


def memory(plan: Plan, model: OpenAIStandInProcess, large: Past, folder: Path) -> None:
    """What a fresh process holds after many answers: sample shop, embedded memory, 20 in flight."""
    # The heavy customer first: his history is a step of its own, and growth is to show what never stops.
    years = [Ask(customer=HEAVY, text=text) for text in texts()[:5]]
    questions = asks(large.customers, seed=3)
    with _bot(model, large, folder / "memory") as bot:
        figure("memory.rss_at_start", bot.resident_mb(), "MB")
        bot.one_by_one(years)
        _answer_many(bot, questions, plan.memory_early)
        early = bot.resident_mb()
        figure(f"memory.rss_after_{plan.memory_early}", early, "MB")
        _answer_many(bot, questions, plan.memory_late - plan.memory_early)
        late = bot.resident_mb()
        figure(f"memory.rss_after_{plan.memory_late}", late, "MB", at_most=180)
        figure("memory.rss_growth", 100 * (late / early - 1), "%", at_most=5)


def _answer_many(bot: Child, questions: Iterator[Ask], count: int) -> None:
    for start in range(0, count, 500):
        bot.crowd(_next(questions, min(500, count - start)), in_flight=IN_FLIGHT)


def _bot(model: OpenAIStandInProcess, stored: Past, folder: Path) -> Child:
    past.copy_to(stored, folder)
    return Child("bot", "--base-url", model.base_url, "--folder", str(folder))


def _record_calls(model: OpenAIStandInProcess, bot: Child, asked: Sequence[Ask], file: Path) -> None:
    """Let the bot answer, and keep the bodies of its requests for the bare calls."""
    model.reset_requests()
    model.control(record=True)
    bot.one_by_one(asked)
    model.control(record=False)
    bodies = model.requests()["bodies"]
    file.write_text("".join(json.dumps(body) + "\n" for body in bodies), encoding="utf-8")


def _next(questions: Iterator[Ask], count: int) -> list[Ask]:
    return list(itertools.islice(questions, count))


if __name__ == "__main__":
    sys.exit(main())
