"""What a channel is: where customers' messages come from and answers go to. The bot sees nothing else of it.

``tests/contract/channel.py`` is the executable definition; every channel passes it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import Protocol

from sqlalchemy import Row

from config.settings import Mode
from store.attachments import Document
from store.customers import Address
from store.inbox import RawEvent
from store.outbox import Kind


class State(StrEnum):
    """Whether the channel works, for health and status. Only WhatsApp knows those marked with *."""

    STARTING = "starting"  # nothing has been tried yet
    PAIRING = "pairing"  # * a code waits to be scanned with the shop's phone
    CONNECTING = "connecting"  # * there is a session but no connection; it comes back by itself
    ONLINE = "online"  # messages come in and go out
    DEGRADED = "degraded"  # connected, but something is wrong; it mends itself
    REPLACED = "replaced"  # * another process took the session; a person must stop one of the two
    BANNED = "banned"  # * the number may not connect for a while
    OUTDATED = "outdated"  # * WhatsApp refuses this version; a person must update
    UNUSABLE = "unusable"  # * the session file is damaged, or not ours to use; a person must act
    LOGGED_OUT = "logged_out"  # * the phone removed this device; a new code has to be scanned
    STOPPING = "stopping"  # the process is ending
    STOPPED = "stopped"  # nothing comes in or goes out any more


class Signal(StrEnum):
    """Small signs of life in a chat; losing one does no harm."""

    READ = "read"  # the customer's messages were read
    TYPING = "typing"  # an answer is being written


class Media(StrEnum):
    """Kinds of a message that hold more than its text, which is then the caption, if there is one."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"  # a voice note
    DOCUMENT = "document"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    POLL = "poll"
    PRODUCT = "product"  # from the shop's catalogue on WhatsApp
    ORDER = "order"  # a basket of that catalogue
    OTHER = "other"  # a kind that this version does not know


class Sign(StrEnum):
    """Kinds of what is no message but about one (``quoted_id``); nobody waits for an answer to it."""

    EDIT = "edit"  # other words for it: the text
    REVOKE = "revoke"  # it was taken back
    REACTION = "reaction"  # an emoji on it, the text; empty: the emoji was taken back
    VOTE = "vote"  # in a poll
    ALBUM = "album"  # the pictures that come next are one answer to it
    TIMER = "timer"  # the chat's messages disappear from now on, or no longer: ``timer_s``


SIGNS = frozenset(sign.value for sign in Sign)
# The sender of what the shop's people write or post from its own phone. It has a lane of its own, so that the
# bot hears of it while an answer in that chat is under way.
OWN = "own"
# Kinds that bring a file.
WITH_FILES = frozenset(
    kind.value for kind in (Media.IMAGE, Media.VIDEO, Media.AUDIO, Media.DOCUMENT, Media.STICKER)
)


class Recorded(Enum):
    """What became of an event that the channel handed to the intake."""

    NEW = "new"  # committed
    DUPLICATE = "duplicate"  # this very event had been committed before
    FAILED = "failed"  # not committed, though it may be later: the channel must keep it or say so
    REFUSED = "refused"  # not committed and never will be: the fault is in the event or in us


@dataclass(frozen=True, kw_only=True, slots=True)
class IncomingFile:
    """What a message says of its file, which nobody has fetched yet: all of it may be wrong."""

    mimetype: str
    filename: str  # empty for what has no name
    size_bytes: int
    view_once: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class IncomingMessage:
    """A parsed event. ``addresses`` are all of the sender's that the channel knows, the best first."""

    chat: str
    sender: str
    message_id: str
    kind: str
    text: str
    addresses: tuple[Address, ...]
    name: str | None = None
    quoted_id: str | None = None
    context: str = ""  # what the message refers to by itself: a quoted text, an ad, a status
    sent_ms: int | None = None  # when the network took it, milliseconds since the epoch; None: just now
    detail: str = ""  # what people see of something without words: the length, a file's name, a place
    file: IncomingFile | None = None
    # Seconds after which messages of the chat disappear, 0 for never; None: this one does not say.
    timer_s: int | None = None
    own: bool = False  # a person wrote it from the shop's own phone; ``addresses`` are the customer's
    past: bool = False  # from before the bot was linked: kept, never answered


@dataclass(frozen=True, kw_only=True, slots=True)
class Quoted:
    """The message that a reply quotes, as the bubble above the reply shows it."""

    message_id: str
    text: str
    sender: str | None  # None: the shop itself


@dataclass(frozen=True, kw_only=True, slots=True)
class Outgoing:
    """A message to send. ``row_id`` is its outbox row: the same one again is the same message again.

    ``document`` is the file of a kind that is one; ``body`` is then its caption. ``quoted`` is there when the
    message ``quoted_id`` is known and may be shown above this one.
    """

    row_id: int
    chat: str
    kind: Kind
    body: str
    quoted_id: str | None = None
    quoted: Quoted | None = None
    document: Document | None = None
    timer_s: int = 0  # in a chat whose messages disappear: after how long this one does
    answers: tuple[str, ...] = ()  # the ids of the messages that this one answers


@dataclass(frozen=True, slots=True)
class Sent:
    """The channel's network took it, under this id."""

    provider_id: str


@dataclass(frozen=True, slots=True)
class Retry:
    """Certainly not sent; worth another attempt, at the earliest after ``after_s`` if that is known."""

    reason: str
    after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can tell whether it was sent: at most one more attempt, or the customer reads it twice."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Certainly not sent and never will be."""

    reason: str


@dataclass(frozen=True, slots=True)
class Parked:
    """Certainly not sent: the network takes nothing from this account for this chat now, and asking makes it
    worse. It waits for hours, or for a person's word.
    """

    reason: str


Outcome = Sent | Retry | Unknown | Refused | Parked


class Unreadable(Exception):
    """The raw event cannot be parsed; it is kept as a dead letter."""


class FileGone(Exception):
    """Nobody can fetch the file any more; the text says why."""


class FileAway(Exception):
    """The file could not be fetched now; a later attempt may."""


class ChannelEnded(Exception):
    """The channel can do no more in this process; ``exit_code`` tells Supervisor what to do about it."""

    def __init__(self, reason: str, *, exit_code: int) -> None:
        super().__init__(reason)
        self.exit_code = exit_code


class Capability(Enum):
    """What differs between channels and matters to the conversation."""

    FRAGMENTS = "fragments"  # people send one thought in several messages: gather them
    REACTIONS = "reactions"  # an emoji on a message; without it an acknowledgement gets no answer at all


@dataclass(frozen=True, kw_only=True, slots=True)
class Intake:
    """The bot's side of a channel.

    ``record_all`` is synchronous, may be called from any thread but the event loop's, never raises, and
    returns only after the commit; an outcome for each event, in their order. ``settled`` returns when
    nothing of a chat waits any more.
    """

    account: str
    record_all: Callable[[Sequence[RawEvent]], list[Recorded]]
    settled: Callable[[str], Awaitable[None]]

    def record(self, event: RawEvent) -> Recorded:
        """``record_all`` for a single event."""
        return self.record_all([event])[0]


@dataclass(frozen=True, kw_only=True, slots=True)
class Traits:
    """A channel's fixed properties."""

    transport: str  # the outbox rows that are its own
    admin_room: str | None = None  # the owner's room in the channel's own terms; None: as the setting says
    room_by_word: bool = False  # it was named in a chat, not in the settings
    room_code: str | None = None  # typed in a group, it makes that group the owner's room
    first_mode: Mode = Mode.ON  # what counts where neither the settings nor the owner name a mode
    capabilities: frozenset[Capability] = field(default_factory=frozenset)
    # The least time between two sends of the account, in seconds: WhatsApp looks at numbers that send fast.
    pace_s: float = 0.0
    # A longer answer goes out as two bubbles, parted between paragraphs; None: whatever its length.
    bubble_chars: int | None = None
    # Its library has threads that nobody can end: only ``config.ending.leave`` ends the process.
    foreign_threads: bool = False


class Channel(Protocol):
    """A way to talk with customers. Exactly one process runs it for an account."""

    traits: Traits

    @property
    def state(self) -> State: ...

    @property
    def caution(self) -> float:
        """How many times slower than usual to send: a number that is new here is watched more closely."""
        ...

    async def start(self, intake: Intake) -> None:
        """Connect and begin to record what comes in; returns once that runs."""
        ...

    async def run(self) -> None:
        """Returns when the channel ends by itself (its input is over); raises when it broke.

        ``ChannelEnded`` is a break that the channel knows; anything else is a fault of ours.
        """
        ...

    async def caught_up(self) -> None:
        """Returns once what was sent while nobody was there has been recorded (or it took too long)."""
        ...

    async def own_chat(self) -> str | None:
        """The shop's chat with itself, where its phone shows notes; None where there is none."""
        ...

    async def is_saved(self, chat: str) -> bool:
        """Whether the shop's phone has this person among its contacts. Never raises."""
        ...

    async def reachable(self) -> None:
        """Returns as soon as something can be sent; while the network is away a send is not even tried."""
        ...

    async def stop(self, drain_s: float) -> None:
        """Take nothing more in; what was recorded may still be answered until ``close``."""
        ...

    async def close(self) -> None:
        """Give everything back. Nothing is sent afterwards."""
        ...

    def parse(self, event: Row[tuple[object, ...]]) -> IncomingMessage:
        """Read a stored inbox row by its codec; raises ``Unreadable``."""
        ...

    async def fetch(self, event: Row[tuple[object, ...]]) -> bytes:
        """The file of a stored inbox row. Raises ``FileGone``, ``FileAway`` or ``Unreadable``."""
        ...

    async def send(self, message: Outgoing) -> Outcome:
        """Send one message. Never raises: every way to fail is an outcome."""
        ...

    async def signal(self, chat: str, signal: Signal, message_ids: tuple[str, ...] = ()) -> None:
        """Show a sign of life. Never raises."""
        ...
