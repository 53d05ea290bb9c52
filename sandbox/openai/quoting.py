"""Brings what was found into words: a FAQ answer as it stands, a price line, the sentences that count."""

from __future__ import annotations

from collections.abc import Sequence

from sandbox.openai import intents
from sandbox.openai.evidence import Looked
from sandbox.openai.passages import Passage, Span
from sandbox.openai.words import forms, tokens, weight

MAX_ANSWER_CHARACTERS = 600


def quote(passage: Passage, span: Span, question: str, asked: Sequence[Looked]) -> str:
    """What the passage says about the question; ``span`` is the place that says most."""
    if passage.faq_answer is not None:
        if len(passage.faq_answer) <= MAX_ANSWER_CHARACTERS - 60:
            return passage.faq_answer
        return _best_sentences(passage, span, asked, count=4)
    if passage.is_catalogue:
        return price_line(passage, question, asked)
    return _best_sentences(passage, span, asked, count=2)


def price_line(passage: Passage, question: str, asked: Sequence[Looked]) -> str:
    """The price sentence, and of the rest what was asked for or says that nothing is left."""
    first, *rest = passage.sentences
    kept = [first]
    for sentence in rest:
        about = {form for word in tokens(sentence) for form in forms(word)}
        wanted = any(looked.word.weight >= 0.5 and not looked.forms.isdisjoint(about) for looked in asked)
        is_stock = sentence.lower().startswith("stok")
        if intents.SAYS_GONE.search(sentence) or (is_stock and intents.ASKS_STOCK.search(question)) or wanted:
            kept.append(sentence)
    return " ".join(kept)


def _best_sentences(passage: Passage, span: Span, asked: Sequence[Looked], *, count: int) -> str:
    """The best sentence and those that say as much about the question, in their order."""
    spans = passage.spans if passage.is_document else [Span(text) for text in passage.sentences]
    scores = [sum(looked.weight for looked in asked if not looked.forms.isdisjoint(s.forms)) for s in spans]
    texts = [s.text for s in spans]
    best = (
        texts.index(span.text)
        if span.text in texts
        else max(range(len(spans)), key=lambda i: (scores[i], -i))
    )
    kept = {best}
    for index in sorted(range(len(spans)), key=lambda i: -scores[i]):
        if len(kept) < count and scores[index] >= 0.6 * scores[best] > 0:
            kept.add(index)
    return " ".join(texts[i] for i in sorted(kept))


def warm(text: str) -> str:
    """Address the customer, if the passage does not do so itself."""
    text = text.strip()
    if intents.ADDRESSED.search(text):
        return shorten(text)
    first = text.split(" ", 1)[0]
    plain = first.isalpha() and first[1:].islower() and weight(first.lower()) < 1
    return shorten(f"Baik Kak, {text[:1].lower()}{text[1:]}" if plain else f"Baik Kak. {text}")


def shorten(text: str) -> str:
    """At most 600 characters, cut after a sentence where there is one."""
    if len(text) <= MAX_ANSWER_CHARACTERS:
        return text
    cut = text[:MAX_ANSWER_CHARACTERS]
    end = max(cut.rfind(". "), cut.rfind("\n"), cut.rfind("! "))
    return cut[: end + 1].rstrip() if end > 200 else cut.rsplit(" ", 1)[0]
