"""What the shop's people change afterwards in what was written from the shop: edits and deletions."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from bot.channel import OWN, SIGNS, Channel, IncomingMessage, Sign, Unreadable
from bot.correcting import correct
from bot.message import MAX_CHARS, clean, shown
from rag.normalise import search_text
from store import customers, inbox, media, turns


def mend(connection: Connection, channel: Channel, account: str, row_id: int, sign: IncomingMessage) -> None:
    """Let the history say what the customer reads now; nothing is answered, and nobody silenced.

    What is not in the history is left alone: words from before the pairing.
    """
    if not sign.addresses:
        return
    customer, _ = customers.resolve(connection, account, sign.addresses, name=None)
    words = clean(sign.text) if sign.kind == Sign.EDIT else ""
    turn_id, message_id = None, sign.quoted_id or ""
    # An edit without words is one of a kind that we cannot read.
    if words or sign.kind == Sign.REVOKE:
        turn_id = _mend_typed(connection, channel, account, sign, words)
        if turn_id is None:
            turn_id = correct(
                connection, account, customer_id=customer.id, message_id=message_id, words=words
            )
    # A deletion has no words that the turn could keep.
    inbox.claim_for(connection, [row_id], customer.id, turn_id=turn_id if words else None)


def _mend_typed(
    connection: Connection, channel: Channel, account: str, sign: IncomingMessage, words: str
) -> int | None:
    """The same for what a person typed on the phone himself; the turn, None when it was not that."""
    turn_id = None
    for row in inbox.by_message(connection, account, chat=sign.chat, message_id=sign.quoted_id or ""):
        if row.sender != OWN or row.kind in SIGNS or row.turn_id is None:
            continue
        try:
            message = channel.parse(row)
        except Unreadable:
            continue  # It was taken back.
        turn_id = row.turn_id
        if words:
            replied = shown(replace(message, text=words), words)[:MAX_CHARS]
        else:
            replied = ""
            inbox.forget_words(connection, [row.id])
            media.expire_of_inbox(connection, [row.id])
        turns.reword(
            connection,
            row.turn_id,
            replied=replied,
            make_search_text=lambda asked, replied: search_text(f"{asked}\n{replied}"),
        )
    return turn_id
