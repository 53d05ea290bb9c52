"""What an order still has to know: the `perlu` column asked in the chat, answered, and put right. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from billing.catalogue import CatalogueItem
from billing.spoken import CALLS, PARTICLES, asks, spoken, without, word_set

MAX_ANSWER_CHARS = 300
_SHORTEST_ADDRESS = 8
LATER = "menyusul"
NONE = "tidak ada"


class Kind(Enum):
    """What counts as an answer."""

    TEXT = auto()  # any words
    NAME = auto()  # words with letters in them
    ADDRESS = auto()  # enough words to find a house by
    NUMBER = auto()  # at least four digits
    PICTURE = auto()  # a picture, or the word that it will come later
    PLACE = auto()  # a shared location, a link to a map or an address


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """One thing to ask for, in the owner's words."""

    label: str
    kind: Kind
    optional: bool = False


def needs_of(items: Iterable[CatalogueItem]) -> list[Need]:
    """What these items need to know, each thing once, in the order of the list."""
    found: dict[str, Need] = {}
    for item in items:
        for label in item.needs:
            found.setdefault(" ".join(spoken(label)), _need(label))
    return list(found.values())


def missing(needs: Sequence[Need], details: Mapping[str, str]) -> list[Need]:
    """Those that nobody has answered yet."""
    return [need for need in needs if not details.get(need.label)]


def is_delivery(need: Need) -> bool:
    """Whether it is the address that goods are sent to, so that they cost shipping: "alamat kirim"."""
    return _names_delivery(need.label)


def sent_to(details: Mapping[str, str]) -> str | None:
    """Where an order with these answers goes; None when he fetches it himself, or nothing is sent."""
    told = next((told for label, told in details.items() if told and _names_delivery(label)), None)
    return None if told is None or is_pickup(told) else told


def _names_delivery(label: str) -> bool:
    words = set(spoken(label))
    return "alamat" in words and not words.isdisjoint(_SENDING)


def answers(parts: Sequence[str], open_needs: Sequence[Need]) -> dict[str, str]:
    """What the messages of one burst answer; empty when they answer nothing that is asked for.

    "nama: Budi, alamat: Jl. Merapi 2" answers both; two messages answer two things; a single one the first.
    """
    lines = [line.strip() for part in parts for line in part.splitlines() if line.strip()]
    if not lines or not open_needs:
        return {}
    if labelled := _labelled("\n".join(lines), open_needs):
        return labelled
    if len(lines) > 1 and len(lines) == len(open_needs):
        each = {need.label: value(line, need) for need, line in zip(open_needs, lines, strict=True)}
        if all(each.values()):
            return {label: found for label, found in each.items() if found}
    first = open_needs[0]
    found = value(" ".join(lines), first)
    return {first.label: found} if found else {}


def value(text: str, need: Need) -> str | None:
    """The answer as it is kept, or None when this is none (a question, too short, no digits)."""
    text = " ".join(text.split())
    if not text or asks(text) or len(text) > MAX_ANSWER_CHARS:
        return None
    if need.optional and set(without(spoken(text), CALLS, PARTICLES)) <= _NONE:
        return NONE
    match need.kind:
        case Kind.PICTURE | Kind.PLACE if _LATER & set(spoken(text)) and len(spoken(text)) <= 6:
            return LATER
        case Kind.PICTURE:
            return None
        case Kind.PLACE:
            return text if len(text) >= _SHORTEST_ADDRESS else None
        case Kind.ADDRESS:
            return text if is_pickup(text) or (len(text) >= _SHORTEST_ADDRESS and spoken(text)) else None
        case Kind.NUMBER:
            return text if sum(char.isdigit() for char in text) >= 4 else None
        case Kind.NAME:
            named = _without_lead(text, need)
            return named if any(char.isalpha() for char in named) and len(named) >= 2 else None
        case Kind.TEXT:
            return text


def correction(text: str, needs: Sequence[Need]) -> tuple[Need, str] | None:
    """What "ubah alamat kirim jadi Jl. Solo 5" or "ralat nama: Budi S." puts right; None when it does not."""
    if (found := _CORRECTION.match(text.strip())) is None:
        return None
    rest = found[1]
    for need in sorted(needs, key=lambda need: -len(need.label)):
        if (told := _after_label(rest, need)) and (good := value(told, need)):
            return need, good
    return None


def is_pickup(text: str) -> bool:
    """Whether he fetches it himself, instead of an address."""
    return _PICKUP.search(text.casefold()) is not None


def _need(label: str) -> Need:
    words = set(spoken(label))
    optional = "kalau ada" in label.casefold() or "opsional" in words
    if words & {"foto", "gambar", "screenshot"}:
        kind = Kind.PICTURE
    elif words & {"lokasi", "sharelok", "maps"}:
        kind = Kind.PLACE
    elif "alamat" in words:
        kind = Kind.ADDRESS
    elif words & {"nomor", "no"}:
        kind = Kind.NUMBER
    elif "nama" in words:
        kind = Kind.NAME
    else:
        kind = Kind.TEXT
    return Need(label=label, kind=kind, optional=optional)


def _labelled(text: str, needs: Sequence[Need]) -> dict[str, str]:
    """ "nama: Budi, alamat: Jl. Merapi 2, Klaten": each label up to the next one."""
    starts: list[tuple[int, int, Need]] = []
    for need in needs:
        for label in _labels(need):
            pattern = rf"(?:^|[\n,;.])\s*{label}(?:nya|ku)?\s*(?:[:=]|adalah\b)\s*"
            if found := re.search(pattern, text, re.IGNORECASE):
                starts.append((found.start(), found.end(), need))
                break
    starts.sort(key=lambda start: start[0])
    told = {}
    ends = [start[0] for start in starts[1:]] + [len(text)]
    for (_, begin, need), end in zip(starts, ends, strict=bool(starts)):
        if good := value(text[begin:end].strip(" ,;.\n"), need):
            told[need.label] = good
    return told


def _labels(need: Need) -> list[str]:
    """The whole label and its first word, as patterns: people write "alamat" for "alamat kirim"."""
    words = need.label.split()
    whole = r"\s+".join(re.escape(word) for word in words)
    return [whole, re.escape(words[0])] if len(words) > 1 else [whole]


def _after_label(text: str, need: Need) -> str:
    for label in _labels(need):
        if found := re.match(
            rf"{label}(?:nya|ku)?\b\s*(?:jadi|ke|menjadi|yang benar|[:=])?\s*", text, re.IGNORECASE
        ):
            return text[found.end() :]
    return ""


def _without_lead(text: str, need: Need) -> str:
    """ "nama saya Budi" is Budi."""
    return re.sub(
        rf"^(?:{re.escape(need.label)}|namaku|nama(?:nya)?(?:\s+saya|\s+aku)?|atas nama|a\.?n\.?)\s*[:=]?\s*",
        "",
        text,
        flags=re.IGNORECASE,
    ).strip(" .,")


_SENDING = word_set("kirim pengiriman dikirim penerima antar pengantaran tujuan")
_LATER = word_set("nanti ntar menyusul nyusul besok")
_NONE = word_set("tidak ada ga gak nggak enggak gada gaada tdk belum blm punya kosong skip lewati")
_PICKUP = re.compile(
    r"\b(?:ambil|diambil|jemput|dijemput)\b.{0,20}\b(?:sendiri|toko|tempat|situ|sana)\b"
    r"|\bpick ?up\b|\bcod toko\b"
)
_CORRECTION = re.compile(
    r"(?:(?:eh|maaf|sori|sorry|kak|min|,)\s*)*(?:ubah|ganti|ralat|koreksi|revisi|salah|perbaiki)\s*[:,]?\s*(.+)",
    re.IGNORECASE | re.DOTALL,
)
