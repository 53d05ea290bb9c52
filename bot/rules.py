"""Rules that answer without a model, pure. A rule matches the *whole* message, never a word in it.

"admin" is a rule, "biaya admin berapa?" is a question. Wording and limits: how Balas behaves (product).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

from rag.normalise import normalise, words

MAX_RULE_WORDS = 3
_QUESTION_MARKS = frozenset("?？¿؟⁇⁉❓❔")


class Rule(Enum):
    """What a whole message can mean by itself."""

    NOTHING = auto()  # no text at all
    GREETING = auto()  # a greeting back and nothing more
    SALAM = auto()  # the Muslim greeting has its own reply
    THANKS = auto()  # an acknowledgement: a reaction, no text
    BOT = auto()  # asks whether a machine answers; never denied
    ADMIN = auto()  # asks for a person
    PRIVACY = auto()  # asks what is stored
    EXPORT = auto()  # wants a copy of it
    ERASE = auto()  # wants it deleted, and is asked whether he is sure
    ERASE_NOW = auto()  # is sure


def _phrases(*phrases: str) -> frozenset[tuple[str, ...]]:
    return frozenset(tuple(phrase.split()) for phrase in phrases)


_CALLS = frozenset(
    (
        "kak",
        "kakak",
        "ka",
        "kk",
        "min",
        "mimin",
        "gan",
        "sis",
        "bang",
        "bro",
        "mas",
        "mbak",
        "pak",
        "bu",
        "om",
    )
)
_GREETINGS = _phrases(
    *(
        "p",
        "pp",
        "ping",
        "halo",
        "hallo",
        "hai",
        "hay",
        "hi",
        "hello",
        "helo",
        "permisi",
        "punten",
        "misi",
        "tes",
    ),
    *(
        "test",
        "pagi",
        "siang",
        "sore",
        "malam",
        "met pagi",
        "met siang",
        "met sore",
        "met malam",
        "selamat pagi",
    ),
    *("selamat siang", "selamat sore", "selamat malam", "good morning", "kulo nuwun", "sampurasun"),
    *("sugeng enjing", "sugeng siang", "sugeng sonten", "sugeng dalu", "nuwun sewu"),
)
_SALAM = _phrases(
    *("assalamualaikum", "assalamu alaikum", "assalamualaikum wr wb", "asalamualaikum", "assalamuallaikum"),
    *("salam", "samlikum", "askum", "asslm", "assalamu'alaikum", "assalammualaikum", "aslmkm", "ass wr wb"),
)
_THANKS = _phrases(
    *("ok", "oke", "okee", "okay", "okey", "okeh", "k", "siap", "siapp", "sip makasih", "makasih", "makasi"),
    *(
        "terima kasih",
        "terimakasih",
        "trimakasih",
        "trims",
        "thanks",
        "thank you",
        "thx",
        "tq",
        "tks",
        "mksh",
    ),
    *("makasih banyak", "makasih ya", "terima kasih banyak", "ok makasih", "oke makasih", "siap makasih"),
    *(
        "ok terima kasih",
        "oke terima kasih",
        "ok siap",
        "oke siap",
        "ok thanks",
        "nuhun",
        "matur nuwun",
        "matur suwun",
        "suwun",
    ),
    *(
        "maturnuwun",
        "hatur nuhun",
        "noted",
        "baik",
        "baiklah",
        "baik makasih",
        "oke deh",
        "ok deh",
        "oke sip",
    ),
    *("alhamdulillah", "mantap", "hehe", "haha", "wkwk", "wkwkwk"),
)
_BOT = _phrases(
    *(
        "ini bot",
        "bot",
        "ini robot",
        "robot",
        "bot ya",
        "ini bot ya",
        "ini bot kah",
        "ini bot bukan",
        "kamu bot",
    ),
    *(
        "ini ai",
        "ai ya",
        "ini ai ya",
        "ini otomatis",
        "ini orang",
        "ini orang asli",
        "ini manusia",
        "kamu robot",
    ),
    *("kamu manusia", "is this bot", "are you bot"),
)
_ADMIN = _phrases(
    *("admin", "minta admin", "mau admin", "panggil admin", "ke admin", "sama admin", "hubungi admin", "cs"),
    *(
        "customer service",
        "operator",
        "bicara admin",
        "ngobrol admin",
        "chat admin",
        "tanya admin",
        "mau ke admin",
    ),
    *("sambungkan ke admin", "mau sama admin", "admin dong", "admin tolong", "tolong admin", "adminnya mana"),
    *(
        "admin mana",
        "mana admin",
        "mana adminnya",
        "bicara sama orang",
        "mau sama orang",
        "human",
        "human please",
    ),
)
_PRIVACY = _phrases("privasi", "privacy", "info privasi", "kebijakan privasi", "data saya", "privasi dong")

_EXPORT = _phrases(
    "ekspor data saya", "export data saya", "minta data saya", "unduh data saya", "ekspor dataku"
)
_ERASE = _phrases("hapus data saya", "hapus dataku", "hapus semua data", "delete my data", "hapus data aku")
# Longer than other rules, so that nobody says it by accident; it needs no memory of what was asked before.
_ERASE_NOW = _phrases("ya hapus data saya", "iya hapus data saya")

_BY_PHRASE: tuple[tuple[frozenset[tuple[str, ...]], Rule], ...] = (
    (_SALAM, Rule.SALAM),
    (_GREETINGS, Rule.GREETING),
    (_THANKS, Rule.THANKS),
    (_BOT, Rule.BOT),
    (_ADMIN, Rule.ADMIN),
    (_PRIVACY, Rule.PRIVACY),
    (_EXPORT, Rule.EXPORT),
    (_ERASE, Rule.ERASE),
)


# What the law gives a customer: about his own data.
RIGHTS = frozenset((Rule.PRIVACY, Rule.EXPORT, Rule.ERASE, Rule.ERASE_NOW))
# Where several stand in one burst, only the first of these counts.
_WEIGHTIEST_FIRST = (
    *(Rule.ERASE_NOW, Rule.ERASE, Rule.EXPORT, Rule.PRIVACY),
    *(Rule.BOT, Rule.SALAM, Rule.GREETING, Rule.THANKS),
)


def rule_for(text: str) -> Rule | None:
    """The rule that the whole message matches, or None when it needs an answer."""
    found = [word for word in words(normalise(text)) if word]
    if tuple(_without_calls(found)) in _ERASE_NOW:
        return Rule.ERASE_NOW
    if not found:
        if not _QUESTION_MARKS.isdisjoint(text):
            return None  # "?" alone asks about what was said before.
        return Rule.THANKS if text.strip() else Rule.NOTHING  # Thumbs, hearts and other signs.
    if len(found) > MAX_RULE_WORDS + 1:
        return None
    bare = _without_calls(found)
    if not bare:
        # "kak", "min", "mas": the customer knocks. "ya kak" confirms something, and that is no rule's affair.
        return Rule.GREETING if _CALLS.issuperset(found) else None
    if len(bare) > MAX_RULE_WORDS:
        return None
    for phrases, rule in _BY_PHRASE:
        if tuple(bare) in phrases:
            return rule
    return None


def rule_for_burst(parts: Sequence[str]) -> tuple[Rule | None, str]:
    """The rule for a whole burst and the text that remains to be answered.

    Greetings and thanks around a question are manners, not a message of their own; asking for a
    person counts wherever it stands.
    """
    rules = [rule_for(part) for part in parts]
    open_parts = [part for part, rule in zip(parts, rules, strict=True) if rule is None]
    if Rule.ADMIN in rules:
        return Rule.ADMIN, "\n".join(open_parts)
    if open_parts:
        return None, "\n".join(open_parts)
    for rule in _WEIGHTIEST_FIRST:
        if rule in rules:
            return rule, ""
    return Rule.NOTHING, ""


def _without_calls(found: Sequence[str]) -> list[str]:
    """The words without forms of address at either end: "makasih kak", "kak halo"."""
    start, end = 0, len(found)
    while start < end and found[start] in _CALLS:
        start += 1
    while end > start and found[end - 1] in _CALLS | {"ya", "yah", "dong", "nih"}:
        end -= 1
    return list(found[start:end])
