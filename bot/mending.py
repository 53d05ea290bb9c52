"""What the shop's people change afterwards in what they wrote from the shop's phone: edits and deletions."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection

from bot.channel import OWN, SIGNS, Channel, IncomingMessage, Sign, Unreadable
from bot.message import MAX_CHARS, clean, shown
from rag.normalise import search_text
from store import customers, inbox, media, turns


def mend(connection: Connection, channel: Channel, account: str, row_id: int, sign: IncomingMessage) -> None:
    """Let the history say what the customer reads now; nothing is answered, and nobody silenced.

    What is not in the history is left alone: the bot's own answers, and words from before the pairing.
    """
    if not sign.addresses:
        return
    customer, _ = customers.resolve(connection, account, sign.addresses, name=None)
    turn_id = None
    for row in inbox.by_message(connection, account, chat=sign.chat, message_id=sign.quoted_id or ""):
        if row.sender != OWN or row.kind in SIGNS or row.turn_id is None:
            continue
        try:
            message = channel.parse(row)
        except Unreadable:
            continue  # It was taken back.
        if sign.kind == Sign.EDIT:
            if not (words := clean(sign.text)):
                continue
            turn_id = row.turn_id
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
    inbox.claim_for(connection, [row_id], customer.id, turn_id=turn_id)
