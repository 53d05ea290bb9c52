"""What customers do to messages afterwards: edits and deletions reach the history, reactions nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row

from bot import introduction
from bot.channel import SIGNS, Channel, IncomingMessage, Sign, Unreadable
from bot.message import MAX_CHARS, Said, clean, join
from bot.people import People
from rag.normalise import search_text
from store import handoffs, inbox, media, outbox, turns
from store.customers import Customer
from store.turns import Author, NewTurn

# How a turn notes it, for the model and the memory.
_CHANGED_TO = "(diubah jadi: "


@dataclass(frozen=True, kw_only=True, slots=True)
class Signs:
    """Applies the signs of a burst, in the transaction that handles it."""

    account: str
    channel: Channel
    people: People

    def apply(self, connection: Connection, said: Said, customer: Customer) -> None:
        """Everything of the burst that is about other messages, in the order in which it came."""
        if said.revoked:
            self._forget(connection, list(said.revoked))
        for row, sign in said.signs:
            turn_id = None
            if sign.kind == Sign.EDIT:
                turn_id = self._edit(connection, sign, customer)
            elif sign.kind == Sign.REVOKE:
                self._revoke(connection, sign, customer)
            inbox.claim_for(connection, [row.id], customer.id, turn_id=turn_id)

    def _edit(self, connection: Connection, sign: IncomingMessage, customer: Customer) -> int | None:
        """It was answered with its old words, so the new ones are a note beside them; the turn's id.

        There is no second answer: the customer sees which words were answered.
        """
        said = clean(sign.text)[:MAX_CHARS]
        about = self._about(connection, sign)
        if not said or any(message is None or clean(message.text) == said for _, message in about):
            return None  # Nothing new, or something that was taken back.
        for row, _ in about:
            asked = turns.asked(connection, row.turn_id) if row.turn_id is not None else None
            if asked is not None:
                waiting = self._open_handoff(connection, customer, asked)
                self._reword(connection, row.turn_id, f"{asked}\n{_CHANGED_TO}{said})")
                if waiting is not None:
                    self.people.reworded(connection, waiting, said)
                return int(row.turn_id)
        new = NewTurn(
            customer_id=customer.id,
            asked=said,
            replied="",
            author=Author.NONE,
            search_text=search_text(said),
        )
        return turns.append(connection, new)

    def _revoke(self, connection: Connection, sign: IncomingMessage, customer: Customer) -> None:
        """Its words go, its file goes, and an answer to it that still waits is not sent."""
        rows = [row for row, _ in self._about(connection, sign)]
        if not rows:
            return
        about = sign.quoted_id or ""
        dropped = outbox.drop_unsent_answers(connection, self.account, chat=sign.chat, message_id=about)
        introduction.not_sent(connection, self.people.wording, dropped)
        self._forget(connection, rows)
        for turn_id in {row.turn_id for row in rows if row.turn_id is not None}:
            before = turns.asked(connection, turn_id) or ""
            left = self._readable(inbox.of_turn(connection, customer.id, turn_id))
            asked = join(*zip(*left, strict=True)).shown if left else ""
            self._reword(connection, turn_id, asked)
            if (waiting := self._open_handoff(connection, customer, before)) is not None:
                # A person who answers it would answer what nobody asks any more.
                handoffs.finish(connection, waiting, state=handoffs.State.CLOSED)

    def _open_handoff(self, connection: Connection, customer: Customer, asked: str) -> int | None:
        """What still waits for a person of what the turn asks; None when nothing does."""
        # Edited before, the question is the newest words alone.
        for question in (asked, asked.rpartition(_CHANGED_TO)[2].removesuffix(")")):
            found = handoffs.find_open(connection, self.account, customer_id=customer.id, question=question)
            if question and found is not None:
                return found
        return None

    def _forget(self, connection: Connection, rows: list[Row[Any]]) -> None:
        ids = [row.id for row in rows]
        inbox.forget_words(connection, ids)
        media.expire_of_inbox(connection, ids)

    def _about(
        self, connection: Connection, sign: IncomingMessage
    ) -> list[tuple[Row[Any], IncomingMessage | None]]:
        """The customer's own messages under the sign's id; None beside one that was taken back.

        Nobody edits or deletes what somebody else wrote.
        """
        found: list[tuple[Row[Any], IncomingMessage | None]] = []
        for row in inbox.by_message(
            connection, self.account, chat=sign.chat, message_id=sign.quoted_id or ""
        ):
            try:
                message = self.channel.parse(row)
            except Unreadable:
                found.append((row, None))
            else:
                if not message.own and message.kind not in SIGNS:
                    found.append((row, message))
        return found

    def _readable(self, rows: list[Row[Any]]) -> list[tuple[Row[Any], IncomingMessage]]:
        found = []
        for row in rows:
            try:
                message = self.channel.parse(row)
            except Unreadable:
                continue  # It was taken back.
            if not message.own:  # A person's reply is the other side of the turn.
                found.append((row, message))
        return found

    @staticmethod
    def _reword(connection: Connection, turn_id: int, asked: str) -> None:
        turns.reword(
            connection,
            turn_id,
            asked=asked[:MAX_CHARS],
            make_search_text=lambda asked, replied: search_text(f"{asked}\n{replied}"),
        )
