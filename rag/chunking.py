"""Prose into passages of a few hundred tokens, each with its title and headings in front."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

# Informal Indonesian has about 2.8 characters a token; counting exactly would need a table from the network.
CHARS_PER_TOKEN = 2.8
TARGET_TOKENS = 300
MAX_TOKENS = 500
_TARGET_CHARS = int(TARGET_TOKENS * CHARS_PER_TOKEN)
_MAX_CHARS = int(MAX_TOKENS * CHARS_PER_TOKEN)
# A heading path longer than this would leave no room for the passage itself.
_MAX_HEAD_CHARS = 200

_HEADING = re.compile(r" {0,3}(#{1,6})[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_FENCE = re.compile(r" {0,3}(```|~~~)")
_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+")


@dataclass(frozen=True, kw_only=True)
class Passage:
    """One chunk of prose: its title with the headings above it, and the text with both in front."""

    title: str
    text: str


@dataclass(frozen=True)
class _Piece:
    """Paragraphs of one section, small enough for a passage."""

    headings: tuple[str, ...]
    body: str


def chunk_prose(text: str, *, title: str, markdown: bool = True) -> list[Passage]:
    """Passages of at most about 500 tokens, in order; no word of the text is lost.

    Paragraphs stay whole where they fit. A passage starts anew at a heading, unless it would be shorter
    than 300 tokens together with its neighbour: then both share one, with their headings inside.
    """
    pieces: list[_Piece] = []
    for headings, paragraphs in _sections(text, markdown=markdown):
        # The title stands in front of every passage; as the heading that it often is, it would be said twice.
        if headings[:1] == (title,):
            headings = headings[1:]
        pieces.extend(_Piece(headings, body) for body in _pack(paragraphs))
        if not paragraphs and headings:
            pieces.append(_Piece(headings, ""))
    return [_passage(title, group) for group in _merge(pieces)]


def _sections(text: str, *, markdown: bool) -> list[tuple[tuple[str, ...], list[str]]]:
    """Paragraphs under their path of headings."""
    sections: list[tuple[tuple[str, ...], list[str]]] = [((), [])]
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    fenced = False

    def end_paragraph() -> None:
        if lines:
            sections[-1][1].append("\n".join(lines))
            lines.clear()

    for line in text.splitlines():
        if markdown and _FENCE.match(line):
            fenced = not fenced
        heading = _HEADING.fullmatch(line) if markdown and not fenced else None
        if heading:
            end_paragraph()
            level = len(heading[1])
            path = [entry for entry in path if entry[0] < level]
            if heading[2]:
                path.append((level, heading[2]))
            sections.append((tuple(name for _, name in path), []))
        elif line.strip():
            lines.append(line.rstrip())
        elif not fenced:
            end_paragraph()
    end_paragraph()
    return _without_empty_parents(sections)


def _without_empty_parents(
    sections: Sequence[tuple[tuple[str, ...], list[str]]],
) -> list[tuple[tuple[str, ...], list[str]]]:
    """Drops sections that hold nothing and whose headings the next section repeats in its path."""
    kept = []
    for index, (path, paragraphs) in enumerate(sections):
        following = sections[index + 1][0] if index + 1 < len(sections) else ()
        if paragraphs or (path and following[: len(path)] != path):
            kept.append((path, paragraphs))
    return kept


def _pack(paragraphs: Iterable[str]) -> list[str]:
    """Neighbouring paragraphs together up to the limit; what was split stays apart from what was whole."""
    packed: list[str] = []
    for part in _fitting(paragraphs):
        if packed and len(packed[-1]) + len(part) + 2 <= _MAX_CHARS:
            packed[-1] = f"{packed[-1]}\n\n{part}"
        else:
            packed.append(part)
    return packed


def _fitting(paragraphs: Iterable[str]) -> Iterator[str]:
    for paragraph in paragraphs:
        if len(paragraph) <= _MAX_CHARS:
            yield paragraph
        else:
            yield from _split(paragraph, ("\n", None, " "))


def _split(text: str, separators: Sequence[str | None]) -> Iterator[str]:
    """Parts within the limit, cut at the coarsest separator that does: lines, sentences (None), words."""
    if not separators:
        # One endless word, such as a pasted picture: cut anywhere.
        yield from (text[start : start + _MAX_CHARS] for start in range(0, len(text), _MAX_CHARS))
        return
    separator = separators[0]
    parts = _SENTENCE_END.split(text) if separator is None else text.split(separator)
    joiner = separator or " "
    current = ""
    for part in parts:
        if current and len(current) + len(joiner) + len(part) > _MAX_CHARS:
            yield current
            current = ""
        if len(part) > _MAX_CHARS:
            if current:
                yield current
                current = ""
            yield from _split(part, separators[1:])
        elif part:
            current = f"{current}{joiner}{part}" if current else part
    if current:
        yield current


def _merge(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    groups: list[list[_Piece]] = []
    size = 0
    for piece in pieces:
        length = len(piece.body) + len("\n".join(piece.headings))
        if groups and size + length <= _TARGET_CHARS:
            groups[-1].append(piece)
            size += length
        else:
            groups.append([piece])
            size = length
    return groups


def _passage(title: str, group: Sequence[_Piece]) -> Passage:
    shared = _common_prefix([piece.headings for piece in group])
    head = " > ".join(name for name in (title, *shared) if name)
    blocks = [head]
    shown = shared
    for piece in group:
        if piece.headings != shown:
            new = piece.headings[len(_common_prefix([piece.headings, shown])) :]
            if new:
                blocks.append(" > ".join(new))
            shown = piece.headings
        if piece.body:
            blocks.append(piece.body)
    return Passage(title=_short(head), text="\n\n".join(block for block in blocks if block))


def _common_prefix(paths: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    prefix = paths[0]
    for path in paths[1:]:
        length = 0
        while length < min(len(prefix), len(path)) and prefix[length] == path[length]:
            length += 1
        prefix = prefix[:length]
    return prefix


def _short(head: str) -> str:
    return head if len(head) <= _MAX_HEAD_CHARS else head[: _MAX_HEAD_CHARS - 1] + "…"
