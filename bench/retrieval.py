"""How well Balas finds and answers: ``python -m bench.retrieval [--quick | --full] [--show] [--own-model]``.

The sample shop is ingested into a temporary store by the product's own code and asked the labelled questions
of ``tests/acceptance/questions``: first the search alone, then the whole answer path with the stand-in
model. The stand-in reads by words, so a real model may do better or worse; the figures compare versions
of Balas with each other. ``--quick`` asks every third question, ``--full`` runs the answer path with the
stand-in's vectors too, and ``--show`` lists what went wrong in the main set. The figures ``heldout_*`` are of
questions whose writer saw neither the main set nor the code; nobody looks at their misses, so ``--show``
does not list them.

``--own-model`` reads with the model of the environment and of ``.env`` (``OPENAI_*``, ``CHAT_MODEL``,
``EMBEDDING_MODEL``, the time-outs) instead of the stand-in: what a shop can expect of the model that it pays
for, or of one that runs on its own machine. It costs one model call a question, some 400 without ``--quick``.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pysqlite3
import structlog

from bench.figures import figure, median, share_of
from bench.questions import DATA, QUESTIONS
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from rag.answering import PASSAGES, Answerer, Outcome, Question, Reply
from rag.ingest import ingest
from rag.model import Embedder, ModelClient
from rag.normalise import search_text
from rag.retrieval import phrasings, query_from
from sandbox.openai.process import OpenAIStandInProcess
from store import customers, knowledge, turns
from store.customers import Address
from store.doors import Store
from store.memory.embedded import EmbeddedMemory
from store.opening import open_store
from store.turns import Author, NewTurn, Turn

HELD_OUT = QUESTIONS / "heldout"
CONFIDENT = (Outcome.ANSWERED, Outcome.FAQ)

Row = dict[str, Any]  # a line of the question set; its README says what the keys mean
Searches = dict[str, list[list[str]]]  # by name: for every question the ids that were found, best first


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Questions:
    """The labelled questions, or every third of them."""

    clean: list[Row]
    slang: list[Row]
    unknown: list[Row]
    dialogues: list[Row]

    @classmethod
    def load(cls, *, step: int) -> Questions:
        return cls(**{field.name: _rows(field.name)[::step] for field in dataclasses.fields(cls)})

    @classmethod
    def load_held_out(cls, *, step: int) -> Questions:
        """The questions that nobody develops with; they are single messages, so there are no dialogues."""
        names = ("clean", "slang", "unknown")
        return cls(**{name: _rows(name, HELD_OUT)[::step] for name in names}, dialogues=[])

    def turns(self) -> list[tuple[Row, list[str]]]:
        """The dialogues' turns that the knowledge answers, each with what the customer said before."""
        return [
            (turn, [earlier["text"] for earlier in dialogue["turns"][:at]])
            for dialogue in self.dialogues
            for at, turn in enumerate(dialogue["turns"])
            if turn["gold"]
        ]


def _rows(name: str, folder: Path = QUESTIONS) -> list[Row]:
    path = folder / ("answerable" if name == "clean" else name)
    return [json.loads(line) for line in path.with_suffix(".jsonl").read_text("utf-8").splitlines() if line]


class Report:
    """Prints tables and figures, and by which model; ``--show`` adds what lies behind them."""

    def __init__(self, *, show: bool, reader: str, vectors: str) -> None:
        self._show = show
        self.reader = reader
        self.vectors = vectors

    def heading(self, text: str) -> None:
        print(f"\n{text}")

    def line(self, name: str, text: str) -> None:
        print(f"  {name:<34} {text}")

    def at_least(self, name: str, hits: int, of: int, goal: float) -> None:
        figure(f"retrieval.{name}", share_of(hits, of), f"%_of_{of}", at_least=goal)

    def at_most(self, name: str, hits: int, of: int, goal: float) -> None:
        figure(f"retrieval.{name}", share_of(hits, of), f"%_of_{of}", at_most=goal)

    def detail(self, text: str) -> None:
        if self._show:
            print(f"      {text}")

    def without_details(self) -> Report:
        return Report(show=False, reader=self.reader, vectors=self.vectors)


# The search alone


async def measure_search(
    memory: EmbeddedMemory,
    plain: PlainWords,
    embedder: Embedder | None,
    asked: Questions,
    report: Report,
    *,
    prefix: str = "",
) -> None:
    """R@1 and R@5 of each kind of search over each kind of question."""
    sets: dict[str, list[tuple[Row, list[str]]]] = {
        "clean": [(row, []) for row in asked.clean],
        "slang": [(row, []) for row in asked.slang],
        "dialogue turns": asked.turns(),
    }
    report.heading("Search: is a passage that answers the question among those found?")
    report.line("", f"R@1    R@{PASSAGES}    against plain words")
    for name, rows in sets.items():
        if not rows:
            continue
        found = await _search_all(memory, plain, embedder, rows, hybrid=f"hybrid ({report.vectors})")
        base = [_recall_at(PASSAGES, rows, found["plain words"]), _recall_at(1, rows, found["plain words"])]
        for way, lists in found.items():
            first, five = _recall_at(1, rows, lists), _recall_at(PASSAGES, rows, lists)
            ratios = f"x{first / max(1, base[1]):.2f} x{five / max(1, base[0]):.2f}"
            report.line(f"{name}, {way}", f"{first / len(rows):.3f}  {five / len(rows):.3f}  {ratios}")
        hits = _recall_at(PASSAGES, rows, found["words"])
        key = name.replace(" ", "_")
        report.at_least(f"{prefix}{key}_r{PASSAGES}", hits, len(rows), 95 if name == "clean" else 90)
        for (row, _), ids in zip(rows, found["words"], strict=True):
            if not _hit(row, ids):
                report.detail(f"missed: {row['text']!r} wants {row['gold']}, found {ids}")


async def _search_all(
    memory: EmbeddedMemory,
    plain: PlainWords,
    embedder: Embedder | None,
    rows: list[tuple[Row, list[str]]],
    *,
    hybrid: str,
) -> Searches:
    found: Searches = {"plain words": [], "words": []}
    if any(before for _, before in rows):
        found["words, message as written"] = []
    if embedder is not None:
        found[hybrid] = []
    for row, before in rows:
        texts = phrasings(row["text"], [_turn(said) for said in before])
        found["plain words"].append(plain.search("\n".join(texts[-1:])))
        found["words"].append(await _ids(memory, texts))
        if "words, message as written" in found:
            found["words, message as written"].append(await _ids(memory, (row["text"],)))
        if embedder is not None:
            vectors = (await embedder.embed(texts)).vectors
            hits = await memory.search(query_from(texts, vectors), limit=PASSAGES)
            found[hybrid].append([passage.id for passage in hits])
    return found


async def _ids(memory: EmbeddedMemory, texts: tuple[str, ...]) -> list[str]:
    return [passage.id for passage in await memory.search(query_from(texts), limit=PASSAGES)]


def _turn(asked: str) -> Turn:
    return Turn(id=0, asked=asked, replied="", author=Author.BOT, created_ms=0)


def _recall_at(most: int, rows: list[tuple[Row, list[str]]], lists: list[list[str]]) -> int:
    return sum(_hit(row, ids[:most]) for (row, _), ids in zip(rows, lists, strict=True))


def _hit(row: Row, ids: Sequence[str]) -> bool:
    return not set(ids).isdisjoint(row["gold"])


class PlainWords:
    """The baseline: SQLite's own BM25 over ``unicode61`` words, without anything that Balas adds."""

    def __init__(self, chunks: Sequence[knowledge.StoredChunk]) -> None:
        self._database = pysqlite3.connect(":memory:")
        tokenizer = "unicode61 remove_diacritics 2"
        self._database.execute(
            f"CREATE VIRTUAL TABLE t USING fts5(id UNINDEXED, text, tokenize='{tokenizer}')"
        )
        rows = [(chunk.id, f"{chunk.title}\n{chunk.text}") for chunk in chunks]
        self._database.executemany("INSERT INTO t VALUES (?, ?)", rows)

    def search(self, text: str) -> list[str]:
        kept = "".join(c if c.isalnum() else " " for c in text)
        wanted = " OR ".join(f'"{word}"' for word in dict.fromkeys(kept.lower().split()))
        if not wanted:
            return []
        statement = "SELECT id FROM t WHERE t MATCH ? ORDER BY bm25(t) LIMIT ?"
        return [row[0] for row in self._database.execute(statement, (wanted, PASSAGES))]


# The whole answer path


class Chat:
    """Customers who ask; what was asked and answered is stored as the bot stores it."""

    def __init__(self, store: Store, answerer: Answerer, unknown_text: str) -> None:
        self._store = store
        self._answerer = answerer
        self._unknown_text = unknown_text
        self._met = 0
        self.took_s: list[float] = []
        self.troubles = 0  # answers that failed a check, or a model that did not answer

    async def meet(self) -> int:
        """A customer who never wrote before."""
        self._met += 1
        address = Address("bench", f"{id(self)}-{self._met}")
        customer, _ = await self._store.write(
            lambda connection: customers.resolve(connection, "utama", [address], name=None)
        )
        return customer.id

    async def ask(self, message: str, customer_id: int | None = None, *, window: int = 8) -> Reply:
        """The answer; ``window`` turns stand in the prompt, older ones must be recalled."""
        customer = await self.meet() if customer_id is None else customer_id
        recent = await self._store.read(lambda c: turns.recent(c, customer, limit=window)) if window else []
        began = time.perf_counter()
        reply = await self._answerer.answer(Question(customer_id=customer, message=message, recent=recent))
        self.took_s.append(time.perf_counter() - began)
        if sys.stderr.isatty():
            # A real model takes seconds for each of some 400 questions.
            print(f"\r{len(self.took_s)} asked\r", end="", file=sys.stderr, flush=True)
        self.troubles += reply.outcome is Outcome.TROUBLE
        return reply

    async def keep(self, customer_id: int, message: str, reply: Reply) -> None:
        text = reply.text or self._unknown_text
        turn = NewTurn(
            customer_id=customer_id,
            asked=message,
            replied=text,
            author=Author.BOT,
            search_text=search_text(f"{message}\n{text}"),
            source_ids=reply.source_ids,
        )
        await self._store.write(lambda connection: turns.append(connection, turn))


async def measure_answers(chat: Chat, asked: Questions, report: Report, *, prefix: str = "answers") -> None:
    """Confident answers to what nobody can know, and refusals and sources where an answer is known."""
    wrong = 0
    for row in asked.unknown:
        reply = await chat.ask(row["text"])
        if reply.outcome in CONFIDENT:
            wrong += 1
            report.detail(f"wrong: {row['text']!r} ({row['kind']}): {reply.text!r} {reply.source_ids}")
    report.at_most(f"{prefix}_unknown_wrong_confident", wrong, len(asked.unknown), 5)
    for name, rows in (("clean", asked.clean), ("slang", asked.slang)):
        refused = right = 0
        for row in rows:
            reply = await chat.ask(row["text"])
            if reply.outcome not in CONFIDENT:
                refused += 1
                report.detail(f"refused: {row['text']!r} wants {row['gold']}")
            elif _hit(row, reply.source_ids):
                right += 1
            else:
                report.detail(f"other source: {row['text']!r} wants {row['gold']}, has {reply.source_ids}")
        report.at_most(f"{prefix}_{name}_refused", refused, len(rows), 10)
        report.at_least(f"{prefix}_{name}_name_a_gold_source", right, len(rows) - refused, 90)


async def measure_dialogues(
    chat: Chat, asked: Questions, report: Report, *, prefix: str = "dialogues"
) -> None:
    """Follow-ups from the right source, and what the customer said himself, recent and long ago."""
    followed = right = recalls = recalled = remembered = 0
    for dialogue in asked.dialogues:
        customer = await chat.meet()
        for at, turn in enumerate(dialogue["turns"]):
            reply = await chat.ask(turn["text"], customer)
            answered = reply.outcome in CONFIDENT
            if "recall" in turn:
                recalls += 1
                recalled += answered and turn["expects"] in reply.text
                # The same question when the chat has gone on for long: only the memory can answer it.
                late = await chat.ask(turn["text"], customer, window=0)
                remembered += late.outcome in CONFIDENT and turn["expects"] in late.text
                report.detail(f"recall: {turn['text']!r}: {reply.text!r} {reply.source_ids}; {late.text!r}")
            elif at and turn["gold"]:
                followed += 1
                right += answered and _hit(turn, reply.source_ids)
                if not answered or not _hit(turn, reply.source_ids):
                    got = f"{reply.outcome.name} {reply.source_ids}"
                    report.detail(f"follow-up: {turn['text']!r} wants {turn['gold']}, {got}")
            await chat.keep(customer, turn["text"], reply)
    report.at_least(f"{prefix}_follow_ups_from_the_right_source", right, followed, 80)
    if recalls:
        report.at_least(f"{prefix}_recall_of_recent_turns", recalled, recalls, 90)
        report.at_least(f"{prefix}_recall_of_old_turns", remembered, recalls, 90)


async def run(options: argparse.Namespace) -> None:
    step = 3 if options.quick else 1
    asked, held_out = Questions.load(step=step), Questions.load_held_out(step=step)
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if options.own_model:
            settings = _own_settings(folder)
            reader, vectors = settings.model.chat_model, f"vectors of {settings.model.embedding_model}"
        else:
            settings = _settings(stack.enter_context(OpenAIStandInProcess()).base_url, folder)
            reader, vectors = "the stand-in model", "stand-in vectors, not semantic"
        report = Report(show=options.show, reader=reader, vectors=vectors)
        store = await open_store(settings)
        try:
            async with ModelClient(settings.model) as model:
                await _measure(store, model, settings, asked, held_out, report, full=options.full)
        finally:
            await store.close()


async def _measure(
    store: Store,
    model: ModelClient,
    settings: Settings,
    asked: Questions,
    held_out: Questions,
    report: Report,
    *,
    full: bool,
) -> None:
    await ingest(store, DATA, model.embedder)
    memory = EmbeddedMemory(store)
    await memory.open()
    plain = PlainWords(await store.read(knowledge.load_all, slow=True))
    shop = Shop.load(DATA, name=settings.shop_name)
    unknown_text = Wording.load(DATA, shop).say("belum_tahu")
    print(f"{memory.passage_count} passages; {len(asked.clean)} clean, {len(asked.slang)} slang, ", end="")
    print(f"{len(asked.unknown)} unknown questions, {len(asked.dialogues)} dialogues")
    await measure_search(memory, plain, model.embedder, asked, report)
    unseen = report.without_details()
    report.heading(f"Held out: {len(held_out.clean)} clean, {len(held_out.slang)} slang")
    await measure_search(memory, plain, model.embedder, held_out, unseen, prefix="heldout_")
    words_only = dataclasses.replace(settings.model, embedding_model=None)
    async with ModelClient(words_only) as reader:
        report.heading(f"Answers, found by words alone, read by {report.reader}")
        answerer = Answerer(memory=memory, model=reader, settings=words_only, shop=shop)
        chat = Chat(store, answerer, unknown_text)
        await measure_answers(chat, asked, report)
        await measure_dialogues(chat, asked, report)
        await measure_answers(chat, held_out, unseen, prefix="heldout_answers")
        report.line("a whole answer, median", f"{median(chat.took_s) * 1000:.1f} ms")
        report.line("answers that could not be used", str(chat.troubles))
    if full and model.embedder is not None:
        report.heading(f"Answers, found by words and vectors ({report.vectors})")
        answerer = Answerer(memory=memory, model=model, settings=settings.model, shop=shop)
        chat = Chat(store, answerer, unknown_text)
        await measure_answers(chat, asked, report, prefix="hybrid_answers")
        await measure_dialogues(chat, asked, report, prefix="hybrid_dialogues")
    await memory.close()


def _settings(base_url: str, state_dir: Path) -> Settings:
    given = {
        "OPENAI_API_KEY": "sk-bench",
        "OPENAI_BASE_URL": base_url,
        "DATA_DIR": str(DATA),
        "STATE_DIR": str(state_dir),
    }
    return Settings.load(given, None)


def _own_settings(state_dir: Path) -> Settings:
    """The model of the environment and of ``.env``, asked about the sample shop from an empty store."""
    given = {**os.environ, "DATA_DIR": str(DATA), "STATE_DIR": str(state_dir), "DATABASE_URL": ""}
    return Settings.load(given)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.retrieval", description=(__doc__ or "").split("\n")[0]
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="every third question")
    length.add_argument("--full", action="store_true", help="the answer path with stand-in vectors as well")
    parser.add_argument("--show", action="store_true", help="list every miss")
    parser.add_argument("--own-model", action="store_true", help="read by the model of your own .env; costs")
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    asyncio.run(run(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
