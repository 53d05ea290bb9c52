"""What the shop's people change in the bot's own answers: they edit and delete them on the shop's phone."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from bot.message import MAX_CHARS, is_file
from bot.selling import marks
from rag.normalise import search_text
from store import inbox, proposals, sent, turns
from store.sent import Sent
from store.turns import Author, Turn

# The notice for new customers stands behind an answer, and not in the history.
_BEHIND = "\n\n"
# An answer that a person gave from his room names no message; it is not looked for further back.
_MOST_TURNS = 50
# A file and its turn are written in one transaction; pictures of an album follow each other by seconds.
_SAME_MOMENT_MS = 10_000


def correct(
    connection: Connection, account: str, *, customer_id: int, message_id: str, words: str
) -> int | None:
    """Let the history say what the customer reads now, ``words``, or nothing after a deletion; the turn.

    From then on the reply is a person's: what the bot meant by it (a price, a question that awaits a yes)
    is not what stands there. None when no turn keeps the message, or nothing changed.
    """
    message = sent.find(connection, account, customer_id=customer_id, provider_id=message_id)
    if message is None or (message.body == words and (words or not message.is_file)):
        return None
    sent.reword(connection, message.id, words)
    newest = turns.recent(connection, customer_id, limit=_MOST_TURNS)[::-1]
    of_file = _turn_of_file(message, newest) if message.is_file else None
    # What has no words is found by none.
    turn = of_file or (_turn_of(connection, account, message, newest) if message.body else None)
    if turn is None:
        return None
    if turn is next((found for found in newest if marks.is_(found, marks.Mark.READ_BACK)), None):
        # Nobody agrees to what does not stand there any more.
        proposals.withdraw(connection, customer_id)
    turns.reword(
        connection,
        turn.id,
        replied=(
            corrected(turn.replied, message.body, words)
            if of_file is None
            else corrected_file(turn.replied, message.body, words)
        )[:MAX_CHARS],
        author=Author.HUMAN,
        make_search_text=lambda asked, replied: search_text(f"{asked}\n{replied}"),
    )
    return turn.id


def _turn_of_file(message: Sent, newest: Sequence[Turn]) -> Turn | None:
    """The turn of a person's file: it says what the file is, and below that its caption.

    Two pictures without words read alike in the history; theirs is the turn that was written with them.
    """
    found = [turn for turn in newest if is_file(_mark_of(turn.replied, message.body))]
    closest = min(found, key=lambda turn: abs(turn.created_ms - message.created_ms), default=None)
    if closest is None or abs(closest.created_ms - message.created_ms) > _SAME_MOMENT_MS:
        return None
    return closest


def _mark_of(replied: str, caption: str) -> str:
    """What stands before the caption; everything when it does not end with that."""
    return replied.removesuffix(caption).rstrip()


def _turn_of(connection: Connection, account: str, message: Sent, newest: Sequence[Turn]) -> Turn | None:
    """The turn among these that keeps the message's words."""
    kept = {
        row.turn_id
        for answered in message.answers
        for row in inbox.by_message(connection, account, chat=message.chat, message_id=answered)
    }
    for turn in newest:
        if turn.id in kept and shown_of(turn.replied, message.body):
            return turn
    return next((turn for turn in newest if turn.replied == message.body), None)


def shown_of(replied: str, body: str) -> str:
    """The part of a turn's reply that a bubble with this body shows; empty when there is none. Pure."""
    if body in replied:
        return body
    end = len(body)
    while (end := body.rfind(_BEHIND, 0, end)) > 0:
        if replied.endswith(body[:end]):
            return body[:end]
    return ""


def corrected(replied: str, body: str, words: str) -> str:
    """The reply after its bubble ``body`` was made to read ``words``, or was deleted (no words). Pure."""
    part = shown_of(replied, body)
    now = words.removesuffix(body[len(part) :]).rstrip()
    before, _, behind = replied.rpartition(part) if replied.endswith(part) else replied.partition(part)
    return f"{before}{now}{behind}".strip()


def corrected_file(replied: str, caption: str, words: str) -> str:
    """The reply after its file got another caption, or was deleted with it (no words). Pure."""
    return f"{_mark_of(replied, caption)} {words}" if words else ""
