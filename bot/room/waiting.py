"""*daftar*: the questions that wait for a person."""

from __future__ import annotations

from sqlalchemy import Connection

from bot.room.command import Command, Request
from bot.room.parts import RoomParts
from config.spans import span_ms
from store import handoffs


class Waiting:
    """Who waits, the oldest first."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (
            Command(words=("daftar", "pertanyaan"), act=self.tell, help_sentence="admin_bantuan_daftar"),
        )

    def tell(self, connection: Connection, request: Request) -> str:
        p = self._p
        waiting = handoffs.list_open(connection, p.account)
        if not waiting:
            return p.wording.say("admin_daftar_kosong")
        lines = []
        for handoff in waiting:
            name, number = p.people.label(connection, handoff.customer_id, handoff.customer_name)
            lines.append(f"• {name} ({number}), {span_ms(handoff.age_ms)}: {handoff.question[:200]}")
        return p.wording.say("admin_daftar", jumlah=len(waiting), daftar="\n".join(lines))
