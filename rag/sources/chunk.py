"""What every source gives: chunks, and what its owner should mend."""

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from rag.normalise import search_text


class KnowledgeFolderError(Exception):
    """The folder as a whole gives nothing; its text says in Indonesian what the owner should do."""


class SourceError(Exception):
    """One file cannot be used; its text is an Indonesian sentence that says what to do."""


class ChunkKind(StrEnum):
    FAQ = "faq"
    """A question with an answer that may be sent word for word."""
    CATALOGUE = "catalogue"
    """One active row of the price list."""
    DATA = "data"
    """One ready-made passage of a JSON list."""
    PROSE = "prose"
    """A piece of a document."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """One passage that an answer may rest on."""

    id: str
    """Stable and readable: "faq:ongkir-luar-jawa", "katalog:IH20", "panduan-garansi:2"."""
    source: str
    """Path below the knowledge folder, with forward slashes."""
    kind: ChunkKind
    title: str
    text: str
    """What the model reads; for an FAQ its question, some paraphrases and its answer."""
    search_text: str
    """What the word index holds: plain words, slang expanded; one phrasing, sentence or list item a line."""
    embed_text: str
    """What is embedded; for an FAQ it holds every paraphrase, however many the model reads."""
    answer: str | None
    """The FAQ's answer word for word, otherwise None."""
    metadata: Mapping[str, str]
    content_hash: str
    """Changes with anything an index stores, so that an unchanged chunk is never embedded again."""


def make_chunk(
    *,
    id: str,
    source: str,
    kind: ChunkKind,
    title: str,
    text: str,
    searched: str | None = None,
    embed_text: str | None = None,
    answer: str | None = None,
    metadata: Mapping[str, str] | None = None,
) -> Chunk:
    """A chunk with its derived fields.

    `searched` is the raw text to find it by, in paragraphs; the default is title and text.
    """
    title, text = storable(title), storable(text)
    answer = storable(answer) if answer is not None else None
    words = _search_lines(storable(searched) if searched is not None else f"{title}\n\n{text}")
    embed_text = storable(embed_text) if embed_text is not None else text
    metadata = {storable(key): storable(value) for key, value in (metadata or {}).items()}
    return Chunk(
        id=id,
        source=source,
        kind=kind,
        title=title,
        text=text,
        search_text=words,
        embed_text=embed_text,
        answer=answer,
        metadata=MappingProxyType(metadata),
        content_hash=_digest(id, kind, title, text, words, embed_text, answer, sorted(metadata.items())),
    )


# Not after "Jl." or "No.": three signs stand before the full stop of a sentence.
_SENTENCE_END = re.compile(r"(?<=[\w.,)%\"”]{3}[.!?…])\s+")
_PARAGRAPH_END = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*•]|\d+[.)])\s)")


def _search_lines(text: str) -> str:
    """Each sentence on a line of its own, wherever the document breaks its lines."""
    sentences = (
        sentence for paragraph in _PARAGRAPH_END.split(text) for sentence in _SENTENCE_END.split(paragraph)
    )
    return "\n".join(line for sentence in sentences if (line := search_text(sentence)))


def _digest(*parts: object) -> str:
    # JSON keeps the parts apart: ("ab", "c") and ("a", "bc") differ.
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """What one file gave, for the owner."""

    path: str
    """Path below the knowledge folder."""
    taken: int
    """Chunks that were taken from it."""
    problems: list[str] = field(default_factory=list)
    """One Indonesian sentence each, saying what to do."""


@dataclass(frozen=True, kw_only=True)
class SourceReading:
    """What one format module made of one file."""

    chunks: list[Chunk]
    problems: list[str] = field(default_factory=list)


def storable(text: str) -> str:
    """The text without what no database takes: NUL and half an emoji. PDFs and cut-off JSON hold both."""
    return text.replace("\0", "").replace("\r\n", "\n").encode("utf-8", "replace").decode()


def short_hash(text: str) -> str:
    """12 hex digits for an id, where its owner gave none."""
    return hashlib.sha256(storable(text).encode()).hexdigest()[:12]


def slug(text: str) -> str:
    """Lower-case letters, digits and single hyphens: "Panduan Garansi (2)" is "panduan-garansi-2"."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn")
    return re.sub(r"[\W_]+", "-", plain.lower()).strip("-")


def id_part(given: str) -> str:
    """An owner's own id as he wrote it, or as a slug where it holds characters that an id must not."""
    given = given.strip()
    return given if re.fullmatch(r"[\w.-]+", given) else slug(given)


def title_from_name(stem: str) -> str:
    """ "panduan_garansi" as people write it: "Panduan garansi"."""
    words = re.sub(r"[\s_-]+", " ", stem).strip()
    return words[:1].upper() + words[1:]
