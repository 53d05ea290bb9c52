"""What is searched for, and what counts as found."""

from __future__ import annotations

from collections.abc import Sequence

from rag.normalise import normalise, search_text, words
from store.memory.index import Passage, Query
from store.turns import Turn
from store.vectors import Vector

# Up to so many words a message leans on what was said before it.
_SHORT_WORDS = 4
# A long story before a short question would drown it, and every character of it is paid for.
_MAX_TOPIC_CHARS = 600
# Words that point back: "kalau yang itu", "terus bayarnya gimana", "yang tadi".
# fmt: off
_POINTERS = frozenset((
    "itu", "ini", "tadi", "tersebut", "tsb", "td", "yang", "yg", "terus", "trus", "trs", "lalu", "kalau",
    "kalo", "klo", "kl", "dia", "begitu", "gitu", "lagi", "juga", "sama", "kemarin", "barusan", "sebelumnya",
    "satunya",
))
_STARTERS = frozenset((
    "kalau", "kalo", "klo", "kl", "terus", "trus", "trs", "lalu", "berarti", "yang", "yg", "kok", "itu",
    "dan",
))
# fmt: on
# An FAQ entry may be sent word for word when this share of the question's weight is in it ...
FAQ_COVERAGE = 0.75
# ... or when the vectors say that it is the same question (text-embedding-3 puts paraphrases above this).
FAQ_SIMILARITY = 0.72


def is_dependent(message: str) -> bool:
    """Whether the message can hardly be understood without what was said before it."""
    found = words(normalise(message))
    if len(found) <= _SHORT_WORDS:
        return True
    return found[0] in _STARTERS or (len(found) <= 2 * _SHORT_WORDS and not _POINTERS.isdisjoint(found))


def phrasings(message: str, recent: Sequence[Turn], *, context: str = "") -> tuple[str, ...]:
    """The message as it was written, and joined with the topic of the last turns when it leans on them.

    ``context`` is what the message refers to by itself (a quoted message, an ad); it always joins.
    """
    own = f"{context}\n{message}" if context else message
    if not recent or not is_dependent(message):
        return (own,)
    topic = [recent[-1].asked[:_MAX_TOPIC_CHARS]]
    if len(recent) > 1 and is_dependent(recent[-1].asked):
        topic.insert(0, recent[-2].asked[:_MAX_TOPIC_CHARS])
    return own, "\n".join([*topic, own])


def query_from(texts: Sequence[str], vectors: Sequence[Vector] = ()) -> Query:
    """The search for these phrasings; without vectors words alone decide."""
    return Query(texts=tuple(search_text(text) for text in texts), vectors=tuple(vectors))


def faq_that_fits(passages: Sequence[Passage]) -> Passage | None:
    """The FAQ entry that may answer word for word when the model cannot: a clear match or nothing."""
    for passage in passages[:2]:
        if passage.answer is None:
            continue
        close = passage.similarity is not None and passage.similarity >= FAQ_SIMILARITY
        if close or passage.coverage >= FAQ_COVERAGE:
            return passage
    return None
