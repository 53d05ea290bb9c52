"""What a command and the quoting of a notice are, and how an admin's text finds its command. Pure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from sqlalchemy import Connection, Row

from bot.channel import IncomingMessage
from rag.normalise import normalise
from store.handoffs import Notice

# A bare "ya" counts for the newest offer only while the owner still sees it.
BARE_ANSWER_MS = 10 * 60 * 1000

YES = frozenset(("ya", "iya", "y", "yes", "ok", "oke", "simpan", "setuju"))
NO = frozenset(("tidak", "tdk", "gak", "ga", "nggak", "enggak", "no", "jangan", "batal"))
UNDO = frozenset(("batal", "batalkan", "urungkan"))
THUMB_UP, THUMB_DOWN = "👍", "👎"
# Phones add a colour of skin or the wish to see a picture to the bare sign.
_SHADES = "\N{VARIATION SELECTOR-16}" + "".join(map(chr, range(0x1F3FB, 0x1F400)))


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One message of an admin, with what it is about."""

    row: Row[Any]
    message: IncomingMessage
    text: str  # cleaned, as he wrote it
    argument: str = ""  # what stands behind the command's words, normalised
    notice: Notice | None = None
    prepared: object = None  # what ``prepare`` gave

    def means(self, meanings: frozenset[str]) -> bool:
        """Whether the whole message is one of these words."""
        return spoken(self.text) in meanings


# The words that go back to the room, empty for none. None: this text was not meant as this command.
Act = Callable[[Connection, Request], str | None]
Prepare = Callable[[Request], Awaitable[object]]


class Takes(Enum):
    """Whether a command has words behind it."""

    NOTHING = auto()
    MAYBE = auto()
    SOMETHING = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """Words that an admin types. ``help_sentence`` is its line in the list; None keeps it off the list."""

    words: tuple[str, ...]
    act: Act
    prepare: Prepare | None = None
    takes: Takes = Takes.NOTHING
    help_sentence: str | None = None

    def argument_in(self, spoken_text: str) -> str | None:
        """What stands behind the words; None when the text is not this command."""
        for words in self.words:
            if not words:
                return spoken_text  # Everything is this command; it is tried last.
            if spoken_text == words and self.takes is not Takes.SOMETHING:
                return ""
            if self.takes is not Takes.NOTHING and spoken_text.startswith(f"{words} "):
                return spoken_text.removeprefix(f"{words} ").strip()
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Quote:
    """What quoting a notice of this kind does.

    ``bare`` are whole messages that count for the newest notice without quoting it; ``reactions`` says which
    words an emoji on the notice stands for, and all other emojis mean nothing. ``takes_files`` says that a
    picture or a document means something as well.
    """

    kind: str
    act: Act
    prepare: Prepare | None = None
    bare: frozenset[str] = frozenset()
    reactions: Mapping[str, str] = field(default_factory=dict)
    takes_files: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Behind:
    """What means something behind any notice, before whatever else quoting it does.

    ``fits`` says whether the text may be meant so; ``act`` gives None where the notice knows better.
    """

    fits: Callable[[Request], bool]
    act: Act


def spoken(text: str) -> str:
    """The text as commands are compared: one line, lower case, without the marks at its end."""
    return normalise(text).strip(" .!?")


def bare_emoji(text: str) -> str:
    """The emoji without its shade."""
    return text.strip().translate(dict.fromkeys(map(ord, _SHADES)))


def find(commands: Sequence[Command], text: str) -> list[tuple[Command, str]]:
    """The commands that the text may be, each with its argument; the one with the longest words first."""
    said = spoken(text)
    found = [(command, command.argument_in(said)) for command in commands]
    fitting = [(command, argument) for command, argument in found if argument is not None]
    # "istirahat selesai" is a command of its own, although "istirahat" takes words.
    return sorted(fitting, key=lambda pair: len(pair[1]))
