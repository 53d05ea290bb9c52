"""Whether the chosen passage answers the question: evidence for and against, weighed by learnt weights.

The rules of ``evidence.convinces`` speak first. What they cannot say is how much one missing word matters
when much else agrees: the last word of a short question that no passage knows is mostly what was asked for,
a birthday that the customer tells of is not. So every kind of evidence has a weight. They are learnt from
the questions of invented shops by ``python -m bench.judging``, which prints this table and how well it judges
shops that it was not learnt from; the questions that Balas is measured with have no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sandbox.openai.evidence import COVERED, Looked, Match, convinces
from sandbox.openai.passages import Passage
from sandbox.openai.question import Role, Word

# Beyond so many words that a passage covers, one more hardly makes it likelier.
_MOST_COVERED = 5
_SAYS_SOMETHING = 0.35
_MEANS_MUCH = 0.6
# A word that no passage knows is mostly the customer's own story, unless the question turns on it.
_UNKNOWN_SHARE = 0.1
_HARD_UNKNOWN_SHARE = 0.5

# Log-odds for one unit of the evidence: a share from 0 to 1, one word, or that something is so.
ALWAYS = -2.33
WEIGHTS: Mapping[str, float] = {
    "the rules say so": 0.59,
    "states another kind of thing": -3.15,
    "share covered": 1.34,
    "like a phrasing of the entry": 0.97,
    "lead": 0.78,
    "words covered": 0.42,
    "nothing missing": 0.59,
    "number or code covered": 0.07,
    "hard word elsewhere": 0.17,
    "hard word nowhere": -0.22,
    "number or code elsewhere": -2.69,
    "number or code nowhere": -0.94,
    "ware elsewhere": -0.66,
    "ware nowhere": 0.07,
    "counted or named elsewhere": -0.30,
    "counted or named nowhere": -0.68,
    "nowhere, one of the last words": -0.51,
    "nowhere, before a question word": -0.57,
    "nowhere, after a word of having": -0.75,
    "nowhere, after a word that points": -0.46,
    "nowhere, why or when": 0.70,
    "nowhere, the customer's own": 0.34,
}
# The log-odds from which an answer is given. A wrong answer costs a shop more than a question to its owner:
# here, shops that nobody learnt from get one in twelve of their unanswerable questions answered.
THRESHOLD = 0.5


def answers(found: Mapping[str, float]) -> bool:
    """Whether what was chosen answers the question, by the evidence that was found."""
    return log_odds(found) >= THRESHOLD


def log_odds(found: Mapping[str, float]) -> float:
    """How likely it is that the passage answers, as the logarithm of the odds."""
    return ALWAYS + sum(WEIGHTS[name] * amount for name, amount in found.items())


def evidence(
    asked: Sequence[Looked], chosen: Sequence[Match], passage: Passage, *, lead: float
) -> dict[str, float]:
    """Every kind of evidence by name; ``lead``: by what share the score is ahead of the next passage's."""
    covers = [max(match.covers[at] for match in chosen) for at in range(len(asked))]
    told = sum(looked.weight * _share_told(looked) for looked in asked)
    covered = sum(looked.weight * cover for looked, cover in zip(asked, covers, strict=True))
    return {
        "the rules say so": float(convinces(asked, chosen, passage)),
        "states another kind of thing": float(not chosen[0].fits),
        "share covered": covered / (told or 1.0),
        "like a phrasing of the entry": max(match.alike for match in chosen),
        "lead": lead,
        **_words(asked, covers),
    }


def _share_told(looked: Looked) -> float:
    if looked.known:
        return 1.0
    return _HARD_UNKNOWN_SHARE if looked.hard else _UNKNOWN_SHARE


def _words(asked: Sequence[Looked], covers: Sequence[float]) -> dict[str, float]:
    """How many words are covered, and of those that are not, how many are of each kind."""
    counts = dict.fromkeys(_COUNTED, 0.0)
    counts["nothing missing"] = 1.0
    for looked, cover in zip(asked, covers, strict=True):
        word = looked.word
        if word.weight < _SAYS_SOMETHING:
            continue
        if cover >= COVERED:
            counts["words covered"] += 1
            counts["number or code covered"] += looked.hard and not word.text.isalpha()
            continue
        counts["nothing missing"] = 0.0
        where = "elsewhere" if looked.known else "nowhere"
        if looked.hard:
            counts[f"hard word {where}"] += 1
            if kind := _exactly(word):
                counts[f"{kind} {where}"] += 1
        if not looked.known and word.weight >= _MEANS_MUCH:
            for role in word.roles:
                counts[f"nowhere, {role.value}"] += 1
    counts["words covered"] = min(counts["words covered"], _MOST_COVERED)
    return counts


def _exactly(word: Word) -> str | None:
    """Which kind of word it is, if there is no other word for it."""
    if not word.text.isalpha():
        return "number or code"
    if word.counted or word.pointed:
        return "counted or named"
    return "ware" if word.offered else None


_COUNTED = (
    "words covered",
    "nothing missing",
    "number or code covered",
    *(
        f"{kind} {where}"
        for kind in ("hard word", "number or code", "ware", "counted or named")
        for where in ("elsewhere", "nowhere")
    ),
    *(f"nowhere, {role.value}" for role in Role),
)
