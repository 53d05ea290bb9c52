"""Guarantee 15: whatever the model does, every message gets an honest answer in time, for bounded money."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from rag.answering import MAX_EMBEDDING_TOKENS, MAX_PROMPT_TOKENS, cost_idr
from rag.errors import ModelUnavailable
from rag.model import ModelClient
from sandbox.openai.process import OpenAIStandInProcess
from store.usage import Spent
from tests.guarantees.botprocess import BotProcess
from tests.guarantees.home import PROJECT, Home, copied
from tests.guarantees.ledger import Entry, Ledger, check
from tests.guarantees.limits import Limits, Observed, beyond

ATTEMPTS = 2
DEADLINE_S = 2.0
# A second for everything around the model, and more for a machine that has other work.
ANSWER_S = DEADLINE_S + 4.0
SETTINGS = {
    # Longer than the deadline, so that only the deadline can keep the bound when nothing comes back.
    "MODEL_TIMEOUT_S": "2.5",
    "ANSWER_DEADLINE_S": str(DEADLINE_S),
    "MODEL_ATTEMPTS": str(ATTEMPTS),
}
# Entries of the sample shop, word for word: without a model they are still to be answered.
KNOWN = ("Bagaimana cara daftar pasang internet?", "Berapa lama proses pemasangan?")
UNKNOWN = ("Bisa sewa kamera drone buat acara nikahan?", "Jual martabak telur tidak?")
ENDPOINTS = ("/v1/chat/completions", "/v1/embeddings")
FAULTS: dict[str, dict[str, Any]] = {
    "429": {"mode": "429"},
    "500": {"mode": "500"},
    "hang": {"mode": "hang"},
    "reset": {"mode": "reset"},
    "garbage": {"mode": "garbage"},
    "slow beyond the deadline": {"mode": "slow", "delay_s": 4},
    "refusal": {"mode": "refusal"},
    "wrong price": {"mode": "wrong_price"},
    "promise": {"mode": "promise"},
    "hanging chat": {"mode": "hang", "for_": "chat"},
    "no server": {},
}
# Close relatives of the others, for the long tier.
LATER = {"reset", "slow beyond the deadline", "wrong price", "hanging chat"}


@pytest.fixture
def faulty_model() -> Iterator[OpenAIStandInProcess]:
    """A stand-in of the test's own, which may break."""
    with OpenAIStandInProcess() as process:
        yield process


@pytest.fixture
def faulty_home(template: Home, faulty_model: OpenAIStandInProcess, tmp_path: Path) -> Home:
    """A home whose model is the faulty one; the knowledge is the same."""
    home = copied(template, tmp_path / "var", **SETTINGS)
    return Home(state_dir=home.state_dir, model_url=faulty_model.base_url, settings=home.settings)


@dataclass(frozen=True, kw_only=True)
class Messages:
    """One message in each chat; half of them are word for word in the FAQ."""

    texts: dict[str, str]

    @classmethod
    def both(cls, *, of_each: int = 2) -> Messages:
        asked = [*(KNOWN * of_each)[:of_each], *(UNKNOWN * of_each)[:of_each]]
        return cls(texts={f"q{number}": text for number, text in enumerate(asked)})

    def allowed(self) -> dict[str, tuple[str, ...]]:
        """What may be said without a model: the FAQ word for word, or the fixed text."""
        faq = json.loads((PROJECT / "data" / "faq_data.json").read_text(encoding="utf-8"))
        answers = {entry["question"]: entry["answer"] for entry in faq}
        shop = Shop.load(PROJECT / "data", name=None)
        wording = Wording.load(PROJECT / "data", shop)
        # Outside opening hours it goes on with when the admin is back.
        trouble = (wording.say("gangguan"), wording.say("gangguan_tutup", buka="\0").partition("\0")[0])
        return {
            message_id: (answers[text],) if text in KNOWN else trouble
            for message_id, text in self.texts.items()
        }


def ask(
    home: Home,
    ledger: Ledger,
    messages: Messages,
    model: OpenAIStandInProcess,
    fault: dict[str, Any] | None,
    *,
    mutant: str | None = None,
    patience_s: float = 20.0,
) -> dict[str, int]:
    """Ask everything at once while the model has this fault (None: it is well, {}: it is gone)."""
    counts: dict[str, int] = {}
    with BotProcess(home, ledger, mutant=mutant) as bot:
        bot.wait_ready()
        if fault == {}:
            model.stop()
        elif fault is not None:
            model.control(**fault)
        if fault != {}:
            model.reset_requests()
        for message_id, text in messages.texts.items():
            bot.send(message_id, f"chat-{message_id}", text)
        bot.wait(lambda: bot.answered >= messages.texts.keys(), patience_s)
        # Requests that go on after the answer would show here.
        time.sleep(0.3)
        if fault != {}:
            by_endpoint = model.requests()["by_endpoint"]
            counts = {endpoint: by_endpoint.get(endpoint, 0) for endpoint in ENDPOINTS}
        if mutant is None:
            bot.end()
        else:
            bot.kill()
    return counts


def used_idr(home: Home) -> int:
    rows = home.query("SELECT coalesce(sum(reserved_idr + spent_idr), 0) FROM usage WHERE customer_id = 0")
    return int(rows[0][0])


def judged(
    home: Home, messages: Messages, entries: list[Entry], counts: dict[str, int], *, budget_idr: int = 10**9
) -> dict[str, tuple[str, ...]]:
    limits = Limits(
        answer_s=ANSWER_S, requests_per_answer=ATTEMPTS, budget_idr=budget_idr, texts=messages.allowed()
    )
    return beyond(limits, Observed(entries=entries, requests=counts, used_idr=used_idr(home)))


@pytest.mark.parametrize(
    "fault",
    [pytest.param(name, marks=[pytest.mark.torture] if name in LATER else []) for name in FAULTS],
)
def test_whatever_the_model_does_every_message_is_answered_honestly_in_time(
    faulty_home: Home,
    faulty_model: OpenAIStandInProcess,
    tmp_path: Path,
    fault: str,
    report: Callable[[str], None],
) -> None:
    messages = Messages.both()
    with Ledger(tmp_path / "ledger") as ledger:
        counts = ask(faulty_home, ledger, messages, faulty_model, FAULTS[fault])
        entries = ledger.entries()
    assert judged(faulty_home, messages, entries, counts) == {}
    assert check(entries).faults == {}
    assert check(entries).repeated == 0
    # Whoever was promised a person has a handoff, and the owner a notice of it.
    handoffs = faulty_home.query("SELECT question, reason, state FROM handoffs ORDER BY question")
    assert handoffs == [(text, "trouble", "open") for text in sorted(UNKNOWN)]
    notices = [entry for entry in entries if entry["what"] == "delivered" and entry["chat"] == "owner"]
    assert len(notices) >= len(UNKNOWN)
    slowest = max(e["at"] for e in entries if e["what"] == "delivered") - min(
        e["at"] for e in entries if e["what"] == "recorded"
    )
    report(f"slowest {slowest:.1f} s of {ANSWER_S} s, requests {counts}, Rp{used_idr(faulty_home)}")


def test_hanging_embeddings_leave_the_chat_model_its_time(
    faulty_home: Home, faulty_model: OpenAIStandInProcess, tmp_path: Path
) -> None:
    messages = Messages(texts={"q0": KNOWN[0]})
    with Ledger(tmp_path / "ledger") as ledger:
        fault = {"mode": "hang", "for_": "embeddings"}
        counts = ask(faulty_home, ledger, messages, faulty_model, fault)
        entries = ledger.entries()
    assert counts["/v1/chat/completions"] == 1
    assert check(entries).faults == {}
    assert faulty_home.query("SELECT count(*) FROM handoffs") == [(0,)]


async def test_calls_that_the_deadline_cuts_short_open_the_circuit(
    faulty_home: Home, faulty_model: OpenAIStandInProcess
) -> None:
    settings = Settings.load(environ=faulty_home.environment, env_file=None).model
    faulty_model.control(mode="hang")
    async with ModelClient(settings) as model:
        assert model.embedder is not None
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await model.embedder.embed(["halo"])
        # Nobody waits for it any more.
        with pytest.raises(ModelUnavailable, match="not asked again"):
            await model.embedder.embed(["halo"])


def test_a_slow_model_within_the_deadline_is_waited_for(
    faulty_home: Home, faulty_model: OpenAIStandInProcess, tmp_path: Path
) -> None:
    messages = Messages(texts={"q0": KNOWN[0]})
    fault = {"mode": "slow", "for_": "chat", "delay_s": 0.7}
    with Ledger(tmp_path / "ledger") as ledger:
        counts = ask(faulty_home, ledger, messages, faulty_model, fault)
        entries = ledger.entries()
    assert counts["/v1/chat/completions"] == 1
    first = {entry["what"]: entry["at"] for entry in reversed(entries)}
    assert first["delivered"] - first["recorded"] > 0.7
    assert check(entries).faults == {}


def _spend(
    home: Home,
    model: OpenAIStandInProcess,
    ledger_path: Path,
    *,
    budget_idr: int,
    mutant: str | None = None,
) -> tuple[dict[str, tuple[str, ...]], dict[str, int]]:
    """A hanging model until the money is gone, then a well one; the verdict and the calls after the end."""
    home = Home(
        state_dir=home.state_dir,
        model_url=home.model_url,
        settings=home.settings | {"MODEL_DAILY_BUDGET_IDR": str(budget_idr)},
    )
    first = Messages(texts={f"q{number}": UNKNOWN[number % 2] for number in range(8)})
    # The circuit breaker opens as well; the bot's second life has a closed one, and a model that is well.
    second = Messages(texts={"q8": UNKNOWN[0], "q9": UNKNOWN[1]})
    with Ledger(ledger_path) as ledger:
        counts = ask(home, ledger, first, model, {"mode": "hang"}, mutant=mutant)
        model.control(mode="ok")
        after = ask(home, ledger, second, model, None, mutant=mutant)
        entries = ledger.entries()
    both = Messages(texts=first.texts | second.texts)
    return judged(home, both, entries, counts, budget_idr=budget_idr), after


def most_cost_idr(home: Home) -> int:
    """The reservation of one answer."""
    settings = Settings.load(environ=home.environment, env_file=None).model
    spent = Spent(
        input_tokens=MAX_PROMPT_TOKENS,
        output_tokens=settings.max_output_tokens,
        embedding_tokens=MAX_EMBEDDING_TOKENS,
    )
    return cost_idr(settings, spent) * settings.attempts


def test_a_hanging_model_spends_the_days_budget_at_most_and_then_no_call_is_made(
    faulty_home: Home, faulty_model: OpenAIStandInProcess, tmp_path: Path, report: Callable[[str], None]
) -> None:
    budget_idr = 3 * most_cost_idr(faulty_home) + 1
    verdict, after = _spend(faulty_home, faulty_model, tmp_path / "ledger", budget_idr=budget_idr)
    report(f"Rp{used_idr(faulty_home)} of Rp{budget_idr} spent, calls afterwards {after}")
    assert verdict == {}
    assert used_idr(faulty_home) > budget_idr - most_cost_idr(faulty_home), "the budget was never reached"
    assert set(after.values()) == {0}


def test_the_mutant_without_a_budget_is_found_to_overspend(
    faulty_home: Home, faulty_model: OpenAIStandInProcess, tmp_path: Path
) -> None:
    budget_idr = 3 * most_cost_idr(faulty_home) + 1
    verdict, _ = _spend(
        faulty_home, faulty_model, tmp_path / "ledger", budget_idr=budget_idr, mutant="no_budget"
    )
    assert "overspent" in verdict, verdict


@pytest.mark.parametrize(
    ("mutant", "fault", "kind"),
    [
        ("no_deadline", "hang", "late"),
        ("endless_attempts", "500", "too many requests"),
        ("unchecked_answers", "garbage", "wrong"),
    ],
)
def test_the_mutants_of_the_limits_are_found_to_break_them(
    faulty_home: Home, faulty_model: OpenAIStandInProcess, tmp_path: Path, mutant: str, fault: str, kind: str
) -> None:
    messages = Messages.both()
    with Ledger(tmp_path / "ledger") as ledger:
        counts = ask(
            faulty_home, ledger, messages, faulty_model, FAULTS[fault], mutant=mutant, patience_s=13.0
        )
        entries = ledger.entries()
    assert kind in judged(faulty_home, messages, entries, counts)
