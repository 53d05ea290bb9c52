"""*status*: how the bot stands today."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from billing.rupiah import format_rupiah
from bot import modes
from bot.channel import OWN, SIGNS
from bot.room.command import Command, Request
from bot.room.parts import RoomParts
from config.alarms import sentence_for, title_of
from config.hours import describe_moment
from config.settings import Mode
from store import alerts, handoffs, standing, usage
from store.alert_kinds import kind_of, told_as
from store.schema import customers, inbox, turns
from store.turns import Author

MODE_WORDS = {
    Mode.ON: "hidup",
    Mode.APPROVE: "magang",
    Mode.PRACTICE: "latihan",
    Mode.OFF: "berhenti",
    Mode.NEW: "belum mulai",
}


class Status:
    """The day's figures, and what is wrong or switched off."""

    def __init__(self, parts: RoomParts) -> None:
        self._p = parts
        self.commands = (Command(words=("status",), act=self.tell, help_sentence="admin_bantuan_status"),)

    def tell(self, connection: Connection, request: Request) -> str:
        p = self._p
        now = datetime.now(p.shop.zona_waktu)
        midnight_ms = int(now.replace(hour=0, minute=0, second=0, microsecond=0).timestamp() * 1000)
        mode = modes.current(connection, p.account, configured=p.configured_mode)
        received = connection.execute(
            select(func.count()).where(
                inbox.c.account == p.account,
                inbox.c.chat != p.people.room.chat,
                inbox.c.kind.not_in(SIGNS),
                # Nor what the shop's people write themselves, or post.
                inbox.c.sender != OWN,
                inbox.c.recorded_ms >= midnight_ms,
            )
        ).scalar_one()
        answered = connection.execute(
            select(func.count())
            .select_from(turns.join(customers, customers.c.id == turns.c.customer_id))
            .where(
                customers.c.account == p.account,
                turns.c.created_ms >= midnight_ms,
                turns.c.author == Author.BOT.value,
                turns.c.asked != "",
            )
        ).scalar_one()
        spent = usage.spent_on(connection, p.account, now.date().isoformat())
        channel = standing.read(connection, p.account)
        state = None if channel is None else channel.state
        kinds = [kind_of(fingerprint).name for fingerprint, _ in alerts.active(connection, p.account)]
        # Two alerts of one kind have one name; it is read once.
        wrong = [
            f"⚠️ {title_of(p.wording, sentence_for(told_as(kind, state=state)))}"
            for kind in dict.fromkeys(kinds)
        ]
        return p.wording.say(
            "admin_status",
            mode=MODE_WORDS[mode],
            pesan=received,
            jawaban=answered,
            menunggu=len(handoffs.list_open(connection, p.account, limit=1000)),
            biaya=format_rupiah(spent.cost_idr),
            batas=format_rupiah(p.budget.shop_idr),
            catatan="\n".join(filter(None, [self._resting(connection), *wrong, p.notes()])),
        ).strip()

    def _resting(self, connection: Connection) -> str:
        rest = modes.resting(connection, self._p.account)
        if rest is None:
            return ""
        until = datetime.fromtimestamp(rest.until_ms / 1000, UTC)
        moment = describe_moment(until, at=datetime.now(UTC), zone=self._p.shop.zona_waktu)
        return self._p.wording.say("admin_istirahat_sampai", sampai=moment)
