import asyncio
import json
from pathlib import Path
from typing import Any

from bench.baselines import bare_calls
from bench.baselines.bare_calls import BareCalls, read_calls
from bench.questions import Ask

ASKS = [Ask(customer=number, text="harga?") for number in range(7)]


class FakeEndpoint:
    """Counts calls and how many were under way at once."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.at_once = self.most_at_once = 0

    async def create(self, **body: Any) -> None:
        self.bodies.append(body)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1


class FakeClient:
    """The two endpoints that are called."""

    def __init__(self) -> None:
        self.embeddings = FakeEndpoint()
        self.chat = type("Chat", (), {"completions": FakeEndpoint()})()


def test_the_baseline_is_short_enough_to_be_read_at_a_glance() -> None:
    lines = Path(bare_calls.__file__).read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 60


async def test_every_answer_is_one_embedding_and_one_chat_call_with_the_recorded_bodies() -> None:
    client: Any = FakeClient()
    calls = [({"input": [str(number)]}, {"messages": [str(number)]}) for number in range(3)]
    found = await BareCalls(client, calls).one_by_one(ASKS[:4])
    assert len(found) == 4
    assert [body["input"] for body in client.embeddings.bodies] == [["0"], ["1"], ["2"], ["0"]]
    assert len(client.chat.completions.bodies) == 4


async def test_a_crowd_asks_all_and_keeps_to_its_size() -> None:
    client: Any = FakeClient()
    await BareCalls(client, [({"input": "a"}, {"messages": []})]).crowd(ASKS, in_flight=3)
    assert len(client.chat.completions.bodies) == 7
    assert client.embeddings.most_at_once == 3


def test_recorded_bodies_are_read_in_pairs(tmp_path: Path) -> None:
    file = tmp_path / "calls.jsonl"
    entries = [
        {"endpoint": "/v1/embeddings", "body": {"input": ["a"]}},
        {"endpoint": "/v1/chat/completions", "body": {"messages": ["b"]}},
        {"endpoint": "/v1/embeddings", "body": {"input": ["c"]}},
        {"endpoint": "/v1/chat/completions", "body": {"messages": ["d"]}},
    ]
    file.write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
    assert read_calls(file) == [
        ({"input": ["a"]}, {"messages": ["b"]}),
        ({"input": ["c"]}, {"messages": ["d"]}),
    ]
