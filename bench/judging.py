"""Learns how the stand-in's reader weighs its evidence: ``python -m bench.judging``.

It asks the invented shops of ``tests/acceptance/reader_dev`` and ``retrieval_dev`` every labelled question,
once as it is and once with the passages taken away that answer it: then no answer is right, however the
question is worded. A logistic regression over ``sandbox.openai.judging.evidence`` gives the weights to be
copied there. Each shop is also judged by weights that were learnt from the others; that is the rate to expect
of a shop that nobody knows. The questions that Balas is measured with have no part in any of this.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rag import prompt
from rag.answering import PASSAGES
from rag.ingesting import stored_from
from rag.retrieval import phrasings, query_from
from rag.sources import read_folder
from sandbox.openai import judging
from sandbox.openai.conversation import from_chat
from sandbox.openai.question import understand
from sandbox.openai.reader import Choice, choose
from store.knowledge import StoredChunk
from store.memory.passages import PassageIndex

ACCEPTANCE = Path(__file__).resolve().parents[1] / "tests" / "acceptance"
# A question without its passage is not worded like one that nobody can answer, so it counts less.
_WITHOUT_PASSAGE = 0.3
# The strength of the pull towards no weight at all: the questions are few.
_PULL = 20.0
_ROUNDS = 30
_WRONG_SHARES = (0.05, 0.08, 0.10, 0.12, 0.15)

Row = dict[str, Any]
Numbers = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Case:
    """One question to one shop. ``found`` is None where nothing was found to judge."""

    shop: str
    answerable: bool
    whole: bool  # asked of the whole shop; False: the passages that answer were taken away
    right: bool  # what was chosen answers it
    found: dict[str, float] | None


def cases() -> Iterator[Case]:
    """Every question of every invented shop, whole and without its passages."""
    for shop, folder, rows in _shops():
        chunks = _chunks(folder)
        index = PassageIndex(chunks, generation=1, space=None)
        for row in rows:
            gold = _gold(row, chunks)
            yield _case(shop, index, row["text"], gold, whole=True)
            if gold:
                rest = PassageIndex([c for c in chunks if c.id not in gold], generation=1, space=None)
                yield _case(shop, rest, row["text"], set(), whole=False)


def _shops() -> Iterator[tuple[str, Path, list[Row]]]:
    folder = ACCEPTANCE / "reader_dev"
    rows = _rows(folder / "questions.jsonl")
    for shop in dict.fromkeys(row["shop"] for row in rows):
        yield shop, folder / shop, [row for row in rows if row["shop"] == shop]
    folder = ACCEPTANCE / "retrieval_dev"
    yield "kamera", folder / "kamera", _rows(folder / "questions.jsonl")


def _rows(path: Path) -> list[Row]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _chunks(folder: Path) -> list[StoredChunk]:
    return [stored_from(chunk) for chunk in read_folder(folder).chunks]


def _gold(row: Row, chunks: Sequence[StoredChunk]) -> set[str]:
    if "fact" in row:
        return {chunk.id for chunk in chunks if row["fact"] in " ".join(chunk.text.split())}
    return set(row["gold"])


def _case(shop: str, index: PassageIndex, text: str, gold: set[str], *, whole: bool) -> Case:
    choice = _choice(index, text)
    return Case(
        shop=shop,
        answerable=bool(gold),
        whole=whole,
        right=choice is not None and not gold.isdisjoint(choice.source_ids),
        found=choice.evidence if choice else None,
    )


def _choice(index: PassageIndex, text: str) -> Choice | None:
    """What the reader chooses of the passages that the product finds; None when there is nothing to judge."""
    passages = index.search(query_from(phrasings(text, ())), limit=PASSAGES)
    built = prompt.build(system="", recent=(), recalled=(), passages=passages, message=text)
    conversation = from_chat(built.messages)
    question = understand(conversation.question)
    if not conversation.sources or not question.says_enough:
        return None
    choice = choose(conversation, question, conversation.sources)
    return choice if choice.asked else None


def learn(known: Sequence[Case]) -> tuple[float, dict[str, float]]:
    """Logistic regression by Newton's method; evidence is scaled to equal spread, so the pull is fair."""
    with_evidence = [(case, case.found) for case in known if case.found is not None]
    names = list(with_evidence[0][1])
    raw = np.array([[found[name] for name in names] for _, found in with_evidence])
    spread = np.maximum(raw.std(axis=0), 1e-9)
    rows = np.hstack([np.ones((len(raw), 1)), raw / spread])
    answer = np.array([float(case.answerable) for case, _ in with_evidence])
    counts = np.array([1.0 if case.whole else _WITHOUT_PASSAGE for case, _ in with_evidence])
    pull = np.diag([0.0] + [_PULL] * len(names))
    weights = np.zeros(rows.shape[1])
    for _ in range(_ROUNDS):
        likely = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (counts * (answer - likely)) - pull @ weights
        curve = (rows.T * (counts * likely * (1 - likely))) @ rows + pull
        weights += np.linalg.solve(curve, slope)
    return float(weights[0]), dict(zip(names, (weights[1:] / spread).tolist(), strict=True))


def judge_unknown_shops(known: Sequence[Case]) -> list[tuple[Case, float]]:
    """The log-odds of every whole question by weights that were learnt from the other shops."""
    judged = []
    for shop in dict.fromkeys(case.shop for case in known):
        always, weights = learn([case for case in known if case.shop != shop])
        for case in known:
            if case.shop == shop and case.whole:
                odds = -np.inf
                if case.found is not None:
                    odds = always + sum(weights[name] * amount for name, amount in case.found.items())
                judged.append((case, float(odds)))
    return judged


def main() -> int:
    known = list(cases())
    judged = judge_unknown_shops(known)
    wrong = np.sort([odds for case, odds in judged if not case.answerable])[::-1]
    right = np.array([odds for case, odds in judged if case.answerable])
    print("Shops judged by weights that were learnt from the others:")
    for share in _WRONG_SHARES:
        threshold = wrong[int(share * len(wrong))]
        refused = float((right <= threshold).mean())
        given = [case.right for case, odds in judged if case.answerable and odds > threshold]
        print(f"  wrong answers {share:.0%}: refusals {refused:.1%}, from a labelled passage ", end="")
        print(f"{sum(given) / len(given):.1%} of the answers, threshold {threshold:.2f}")
    now = [case for case, odds in judged if odds >= judging.THRESHOLD]
    gone = sum(not case.answerable for case in now) / len(wrong)
    kept = sum(case.answerable for case in now) / len(right)
    print(f"  at the threshold in use, {judging.THRESHOLD}: {gone:.1%} wrong, {1 - kept:.1%} refused")
    always, weights = learn(known)
    print(f"\nALWAYS = {always:.2f}\nWEIGHTS: Mapping[str, float] = {{")
    for name, weight in weights.items():
        print(f'    "{name}": {weight:.2f},')
    print("}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
