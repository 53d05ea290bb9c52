"""Scenarios with deaths in them. Each gives the verdict over its whole ledger and its figures."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.guarantees.botprocess import BotProcess
from tests.guarantees.home import Home
from tests.guarantees.ledger import Ledger, Verdict, check
from tests.tally import Tally

# How long a bot that owes answers may say nothing before it is judged by what it said.
PATIENCE_S = 30.0
# A mutant is not waited for that long: it owes answers that never come.
MUTANT_PATIENCE_S = 4.0
QUESTIONS = (
    "Bagaimana cara daftar pasang internet?",
    "kak berapa lama pemasangannya?",
    "area layanannya di mana saja ya",
    "bisa pilih jam pemasangan?",
    "Ongkir JNE ke Makassar berapa rupiah?",  # nobody knows: a promise and a notice to the owner
    "halo",
    "admin",
)


@dataclass(kw_only=True)
class Story:
    """What a scenario found."""

    verdict: Verdict
    seed: int = 0
    kills: int = 0
    kills_with_work: int = 0
    starts_killed: int = 0
    commit_s: list[float] = field(default_factory=list)
    never_committed: int = 0  # entered before a kill, in no table after it
    took_s: float = 0.0

    def tally(self) -> Tally:
        """Its row in the table of deaths."""
        return Tally(
            kills=self.kills + self.starts_killed,
            with_work=self.kills_with_work,
            lost=len(self.verdict.lost) + len(self.verdict.unrecorded),
            doubled=len(self.verdict.doubled) + len(self.verdict.unexpected),
            disordered=len(self.verdict.disordered),
            seed=self.seed,
        )


class Customers:
    """Scripted customers: every message has an id of its own; what was not acknowledged is sent again."""

    def __init__(self, dice: random.Random, *, chats: int) -> None:
        self._dice = dice
        self._chats = [f"pelanggan{number}" for number in range(chats)]
        self._number = 0
        self._open: dict[str, tuple[str, str]] = {}
        self.acknowledged: set[str] = set()
        self.answered: set[str] = set()

    def say(self, bot: BotProcess) -> str:
        """One new message in some chat; its id."""
        self._number += 1
        message_id = f"m{self._number}"
        chat, text = self._dice.choice(self._chats), self._dice.choice(QUESTIONS)
        self._open[message_id] = (chat, text)
        bot.send(message_id, chat, text)
        return message_id

    def say_again(self, bot: BotProcess) -> None:
        """Everything that no bot acknowledged, in order, as WhatsApp would."""
        for message_id, (chat, text) in self._open.items():
            bot.send(message_id, chat, text)

    def meet(self, bot: BotProcess) -> None:
        """Remember what this bot acknowledged and answered; it is gone or will be."""
        for message_id, outcome in bot.acknowledged.items():
            if outcome != "failed":
                self._open.pop(message_id, None)
                self.acknowledged.add(message_id)
        self.answered |= bot.answered

    def is_served(self, bot: BotProcess) -> bool:
        """Whether everything ever sent is acknowledged and answered by now."""
        told = {message_id for message_id, outcome in bot.acknowledged.items() if outcome != "failed"}
        acknowledged = self.acknowledged | told
        return acknowledged >= self._open.keys() and self.answered | bot.answered >= acknowledged


def settle(home: Home, ledger: Ledger, customers: Customers, mutant: str | None) -> Verdict:
    """The last life: nothing kills it, everything is sent until it is acknowledged, and it may finish."""
    with BotProcess(home, ledger, mutant=mutant) as bot:
        bot.wait_ready()
        customers.say_again(bot)
        finish(bot, lambda: customers.is_served(bot), mutant)
    return check(ledger.entries())


def finish(bot: BotProcess, is_served: Callable[[], bool], mutant: str | None) -> None:
    """Wait until everything is answered, or nothing more comes; then end the bot."""
    bot.wait_quiet(is_served, patience_s=PATIENCE_S if mutant is None else MUTANT_PATIENCE_S)
    # What was sent right before must be marked as sent, and what is too much must show itself.
    time.sleep(0.3)
    if mutant is None:
        bot.end()
    else:
        bot.kill()


def killed_at_random(
    home: Home,
    ledger_path: Path,
    *,
    seed: int,
    rounds: int,
    chats: int = 20,
    per_s: float = 80.0,
    mutant: str | None = None,
) -> Story:
    """kill -9 at a random moment under load, ``rounds`` times; every fifth round also dies while starting."""
    dice = random.Random(seed)
    customers = Customers(dice, chats=chats)
    story = Story(verdict=check([]), seed=seed)
    began = time.monotonic()
    with Ledger(ledger_path) as ledger:
        for number in range(rounds):
            if number % 5 == 4:
                _die_while_starting(home, ledger, customers, dice, mutant)
                story.starts_killed += 1
            with BotProcess(home, ledger, mutant=mutant) as bot:
                bot.wait_ready()
                end = time.monotonic() + dice.uniform(0.05, 0.7)
                customers.say_again(bot)
                while (left := end - time.monotonic()) > 0:
                    customers.say(bot)
                    time.sleep(min(left, dice.expovariate(per_s)))
                story.kills += 1
                story.kills_with_work += any(bot.kill())
                customers.meet(bot)
        story.verdict = settle(home, ledger, customers, mutant)
    story.took_s = time.monotonic() - began
    return story


def _die_while_starting(
    home: Home, ledger: Ledger, customers: Customers, dice: random.Random, mutant: str | None
) -> None:
    with BotProcess(home, ledger, mutant=mutant) as bot:
        # Some deaths hit the imports, some the take-over of what the last life left behind.
        time.sleep(dice.uniform(0.2, 1.6))
        bot.kill()
        # A quick start may have answered something already.
        customers.meet(bot)


# The steps of a message from the channel to the customer, and how often the function is called before the
# death: some work is then in every earlier stage.
STEPS = (
    "before:store.inbox.record:2",
    "after:store.inbox.record:3",  # written, not committed
    "after:store.sqlite.SqliteStore.record:3",  # committed, not acknowledged
    "after:store.queue.claim:2",  # claimed, not committed
    "before:rag.model.ModelClient.chat:2",
    "after:rag.model.ModelClient.chat:1",
    "before:store.queue.finish:3",
    "after:store.outbox.add_claimed:2",  # answered, not committed
    "before:bot.terminal.faces.JsonFace.message:3",  # claimed by delivery, not sent
    "after:bot.terminal.faces.JsonFace.message:3",  # sent, not marked
    "after:store.outbox.mark_sent:2",  # marked, not committed
    "after:bot.delivery.Delivery._mark_sent:2",
)
PER_STEP = 6


def killed_at_every_step(
    home: Home, ledger_path: Path, *, steps: Sequence[str] = STEPS, mutant: str | None = None
) -> Story:
    """One life after the other, each dying at the next step of a message's way."""
    customers = Customers(random.Random(1), chats=4)
    story = Story(verdict=check([]))
    began = time.monotonic()
    with Ledger(ledger_path) as ledger:
        for step in steps:
            with BotProcess(home, ledger, mutant=mutant, faults=[f"--die={step}"]) as bot:
                bot.wait_ready()
                customers.say_again(bot)
                for _ in range(PER_STEP):
                    customers.say(bot)
                story.kills_with_work += any(bot.died())
                story.kills += 1
                customers.meet(bot)
        story.verdict = settle(home, ledger, customers, mutant)
    story.took_s = time.monotonic() - began
    return story


def killed_at_entry(
    home: Home, ledger_path: Path, *, seed: int, rounds: int, per_round: int = 12, mutant: str | None = None
) -> Story:
    """One message at a time, as fast as each is acknowledged, and a death within a commit's time of an entry.

    Measures how long the callback took, as the sender sees it (two pipes included).
    """
    dice = random.Random(seed)
    customers = Customers(dice, chats=8)
    story = Story(verdict=check([]), seed=seed)
    began = time.monotonic()
    with Ledger(ledger_path) as ledger:
        for _ in range(rounds):
            with BotProcess(home, ledger, mutant=mutant) as bot:
                bot.wait_ready()
                customers.say_again(bot)
                for _ in range(per_round):
                    entered = time.monotonic()
                    message_id = customers.say(bot)
                    bot.wait(lambda wanted=message_id: wanted in bot.acknowledged, PATIENCE_S)  # type: ignore[misc]  # mypy cannot infer a lambda with a default.
                    story.commit_s.append(time.monotonic() - entered)
                last = customers.say(bot)
                # Mostly between the entry and its acknowledgement, sometimes just after that.
                time.sleep(dice.uniform(0, sorted(story.commit_s)[len(story.commit_s) // 2]))
                story.kills += 1
                story.kills_with_work += any(bot.kill())
                committed = home.query(f"SELECT 1 FROM inbox WHERE message_id = '{last}'")
                story.never_committed += last not in bot.acknowledged and not committed
                customers.meet(bot)
        story.verdict = settle(home, ledger, customers, mutant)
    story.took_s = time.monotonic() - began
    return story


def stopped_in_order(home: Home, ledger_path: Path, *, seed: int, lives: int = 2) -> Story:
    """SIGTERM in the middle of the work, and no crash at all."""
    customers = Customers(random.Random(seed), chats=10)
    story = Story(verdict=check([]), seed=seed)
    began = time.monotonic()
    with Ledger(ledger_path) as ledger:
        for _ in range(lives):
            with BotProcess(home, ledger) as bot:
                bot.wait_ready()
                customers.say_again(bot)
                for _ in range(25):
                    customers.say(bot)
                bot.wait(lambda heard=bot: len(heard.answered) >= 5, PATIENCE_S)  # type: ignore[misc]  # mypy cannot infer a lambda with a default.
                bot.end()
                customers.meet(bot)
        story.verdict = settle(home, ledger, customers, None)
    story.took_s = time.monotonic() - began
    return story


def replayed(
    home: Home, ledger_path: Path, *, seed: int, ids: int = 12, times: int = 10, mutant: str | None = None
) -> Story:
    """Every message ``times`` over and in any order, a death among them, then all of them once more."""
    dice = random.Random(seed)
    said = [(f"r{number}", f"pelanggan{number % 4}", dice.choice(QUESTIONS)) for number in range(ids)]
    again = [message for message in said for _ in range(times - 1)]
    dice.shuffle(again)
    story = Story(verdict=check([]), seed=seed)
    began = time.monotonic()
    with Ledger(ledger_path) as ledger:
        with BotProcess(home, ledger, mutant=mutant) as bot:
            bot.wait_ready()
            for message in (*said, *again[: len(again) // 2]):
                bot.send(*message)
            bot.wait(lambda: len(bot.acknowledged) == ids, PATIENCE_S)
            time.sleep(dice.uniform(0.0, 0.2))
            story.kills_with_work += any(bot.kill())
            story.kills += 1
            answered = set(bot.answered)
        with BotProcess(home, ledger, mutant=mutant) as bot:
            bot.wait_ready()
            for message in (*again, *said):
                bot.send(*message)
            wanted = {message[0] for message in said}
            finish(bot, lambda: answered | bot.answered >= wanted <= bot.acknowledged.keys(), mutant)
        story.verdict = check(ledger.entries())
    story.took_s = time.monotonic() - began
    return story
