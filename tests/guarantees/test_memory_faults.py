"""Guarantee 16: the Weaviate server dies or freezes under questions; all are answered, none is invented."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sandbox.weaviate.node import WeaviateNode
from store.memory.weaviate.link import CALL_S
from tests import weaviate
from tests.guarantees.botprocess import BotProcess
from tests.guarantees.home import Home
from tests.guarantees.ledger import Entry, Ledger, check

# Entries of the sample shop, word for word.
KNOWN = ("Bagaimana cara daftar pasang internet?", "Berapa lama proses pemasangan?")
# The model's stand-in takes a moment, and a busy machine more.
ANSWER_S = CALL_S + 5.0
PATIENCE_S = 40.0
RECOVERY_S = 90.0
Fault = Callable[[WeaviateNode], None]
FAULTS: dict[str, Fault] = {"killed": WeaviateNode.kill, "frozen": WeaviateNode.freeze}


@pytest.fixture(scope="module")
def node(weaviate_program: Path) -> Iterator[WeaviateNode]:
    """A server that the scenarios harm."""
    with WeaviateNode(weaviate_program) as running:
        yield running


@pytest.fixture
def home(make_home: Callable[..., Home], node: WeaviateNode) -> Home:
    """A shop that remembers with that server, in collections of its own."""
    if not node.is_ready():
        node.kill()
        node.start()
    return make_home(**node.settings, WEAVIATE_PREFIX=f"Uji{secrets.token_hex(6)}")


def texts(entries: list[Entry], chats: list[str]) -> list[str]:
    """What was answered in these chats, in their order."""
    said = {entry["chat"]: entry["text"] for entry in entries if entry["what"] == "delivered"}
    return [said.get(chat, "") for chat in chats]


def waited(entries: list[Entry], message_id: str) -> float:
    """Seconds from a message's record to its answer; endless without one."""
    recorded = [entry["at"] for entry in entries if entry["what"] == "recorded" and entry["id"] == message_id]
    answered = [
        entry["at"] for entry in entries if entry["what"] == "delivered" and message_id in entry["answers"]
    ]
    return float(answered[0] - recorded[0]) if answered and recorded else float("inf")


def mend(node: WeaviateNode) -> None:
    """The server is well again, whatever was done to it."""
    node.thaw()
    if not node.is_ready():
        node.start()


def until_held(home: Home, node: WeaviateNode) -> None:
    """Wait until the server holds every turn, and none besides, looked at without the product's code."""
    collection = f"{home.settings['WEAVIATE_PREFIX']}ChatTurn"
    deadline = time.monotonic() + RECOVERY_S
    while True:
        turns = {row[0] for row in home.query("SELECT id FROM turns")}
        held = [int(one["properties"]["turn_id"]) for one in weaviate.objects(node, collection)]
        if sorted(held) == sorted(turns):
            return
        assert time.monotonic() < deadline, (sorted(held), sorted(turns))
        time.sleep(0.2)


def ask_through(
    home: Home,
    node: WeaviateNode,
    ledger: Ledger,
    fault: Fault,
    *,
    mutant: str | None = None,
    patience_s: float = PATIENCE_S,
) -> list[str]:
    """Questions before, in the middle of and after the fault; the ids of their messages."""
    asked: list[str] = []

    def send(bot: BotProcess, count: int) -> None:
        for number in range(count):
            message_id = f"q{len(asked)}"
            asked.append(message_id)
            bot.send(message_id, f"chat-{message_id}", KNOWN[number % 2])

    def wait(bot: BotProcess) -> bool:
        return bot.wait(lambda: bot.answered >= set(asked), patience_s)

    with BotProcess(home, ledger, mutant=mutant) as bot:
        bot.wait_ready()
        send(bot, 2)
        assert wait(bot)
        # From here on the server has everything, and is the one that searches.
        until_held(home, node)
        # Some are on their way to the server when it dies, the others come after.
        send(bot, 4)
        fault(node)
        send(bot, 4)
        wait(bot)
        mend(node)
        if mutant is not None:
            bot.kill()
            return asked
        send(bot, 2)
        assert wait(bot)
        until_held(home, node)
        bot.end()
    return asked


@pytest.mark.parametrize("fault", ["killed", pytest.param("frozen", marks=pytest.mark.torture)])
def test_a_server_that_dies_or_freezes_under_questions_costs_no_answer(
    home: Home, node: WeaviateNode, tmp_path: Path, fault: str, report: Callable[[str], None]
) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        asked = ask_through(home, node, ledger, FAULTS[fault])
        entries = ledger.entries()
    assert check(entries).faults == {}
    assert check(entries).repeated == 0
    said = texts(entries, [f"chat-{message_id}" for message_id in asked])
    # Without the introduction of a new customer, which rides on the first answer only: everybody's is first.
    assert {said[0], said[1]} == set(said), "an answer differs from what is said while all is well"
    slowest = max(waited(entries, message_id) for message_id in asked)
    report(f"slowest answer {slowest:.1f} s of {ANSWER_S} s")
    assert slowest < ANSWER_S


def test_the_mutant_that_forgets_with_its_server_is_found_not_to_know(
    home: Home, node: WeaviateNode, tmp_path: Path
) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        asked = ask_through(home, node, ledger, WeaviateNode.kill, mutant="forgets_with_its_server")
        entries = ledger.entries()
    said = texts(entries, [f"chat-{message_id}" for message_id in asked])
    assert {said[0], said[1]} != set(said)


@pytest.mark.torture
def test_the_mutant_without_a_bound_is_found_to_keep_people_waiting(
    home: Home, node: WeaviateNode, tmp_path: Path
) -> None:
    with Ledger(tmp_path / "ledger") as ledger:
        asked = ask_through(
            home, node, ledger, WeaviateNode.freeze, mutant="waits_for_the_memory", patience_s=2 * ANSWER_S
        )
        entries = ledger.entries()
    assert max(waited(entries, message_id) for message_id in asked) > ANSWER_S
