"""The day's digest: what happened in the shop's chats, counted from the tables, told once a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, func, or_, select

from billing.rupiah import format_rupiah
from bot.channel import SIGNS
from bot.gaps import missing
from bot.people import People
from config.hours import DAYS
from config.shop import Shop
from store import handoffs, meta, takings, usage
from store.doors import Store
from store.handoffs import PROMISED
from store.schema import customers, inbox, turns
from store.schema import handoffs as handoff_rows
from store.takings import Sum, Takings
from store.turns import Author

CHECK_S = 60.0
MOST_MISSING = 3
_MONTHS = (
    *("Januari", "Februari", "Maret", "April", "Mei", "Juni"),
    *("Juli", "Agustus", "September", "Oktober", "November", "Desember"),
)
# Rows that the shop wrote itself, in its own lanes.
_OWN = ("own", "post")


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """One day of the shop's own calendar."""

    messages: int  # that customers sent
    chats: int  # customers who wrote
    answered: int  # by the bot
    by_people: int
    handed_over: int  # questions of this day that a person was to answer
    unanswered: int  # those of them that still wait
    takings: Takings
    cost_idr: int
    missing: tuple[tuple[str, int], ...]  # what was asked and not known, and how often


def window(shop: Shop, day: date) -> tuple[int, int]:
    """The day in milliseconds since the epoch, its end excluded; 23 or 25 hours where clocks change."""
    start = datetime.combine(day, time(), shop.zona_waktu)
    end = datetime.combine(day + timedelta(days=1), time(), shop.zona_waktu)
    return int(start.timestamp() * 1000), int(end.timestamp() * 1000)


def figures(connection: Connection, account: str, *, room: str | None, shop: Shop, day: date) -> Figures:
    """The day's numbers, from the tables alone."""
    since, until = window(shop, day)
    messages, chats = connection.execute(
        select(func.count(), func.count(inbox.c.customer_id.distinct())).where(
            inbox.c.account == account,
            inbox.c.chat != (room or ""),
            inbox.c.kind.not_in([*_OWN, *sorted(SIGNS)]),
            inbox.c.recorded_ms >= since,
            inbox.c.recorded_ms < until,
        )
    ).one()
    replies = connection.execute(
        select(turns.c.author, func.count())
        .select_from(turns.join(customers, customers.c.id == turns.c.customer_id))
        .where(
            customers.c.account == account,
            turns.c.created_ms >= since,
            turns.c.created_ms < until,
            turns.c.replied != "",
            # What it writes without being asked (a payment came, a transfer was not found) is no answer.
            or_(turns.c.author != Author.BOT.value, turns.c.asked != ""),
        )
        .group_by(turns.c.author)
    ).all()
    by_author = {str(row[0]): int(row[1]) for row in replies}
    handed_over, finished = connection.execute(
        select(func.count(), func.count(handoff_rows.c.finished_ms)).where(
            handoff_rows.c.account == account,
            handoff_rows.c.reason.in_([reason.value for reason in PROMISED]),
            handoff_rows.c.created_ms >= since,
            handoff_rows.c.created_ms < until,
        )
    ).one()
    return Figures(
        messages=messages,
        chats=chats,
        answered=by_author.get(Author.BOT.value, 0),
        by_people=by_author.get(Author.HUMAN.value, 0),
        handed_over=handed_over,
        unanswered=handed_over - finished,
        takings=takings.between(connection, account, since_ms=since, until_ms=until),
        cost_idr=usage.spent_on(connection, account, day.isoformat()).cost_idr,
        missing=tuple(missing(connection, account, since_ms=since, until_ms=until)[:MOST_MISSING]),
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Digest:
    """Tells the owner of the day that is over, at the hour that he chose."""

    store: Store
    people: People
    shop: Shop
    budget_idr: int
    hour: int  # in the shop's zone; 0: never by itself

    async def tell(self, now: datetime | None = None) -> None:
        """Yesterday's digest, once, from the hour on; after a night that the bot was away a little later."""
        at = (now or datetime.now(UTC)).astimezone(self.shop.zona_waktu)
        if not self.hour or at.hour < self.hour or self.shop.is_quiet_time(at):
            return
        day = at.date() - timedelta(days=1)
        if await self.store.read(lambda c: meta.get(c, self._key)) != day.isoformat():
            await self.store.write(lambda c: self._tell(c, day))

    def _tell(self, connection: Connection, day: date) -> None:
        if meta.get(connection, self._key) == day.isoformat():
            return
        meta.put(connection, self._key, day.isoformat())
        found = self.figures_of(connection, day)
        sold = found.takings.ordered.count or found.takings.paid.count
        if found.messages or found.answered or found.unanswered or sold:
            self.people.notify(connection, self.text(found, day), kind=handoffs.ALERT)

    def figures_of(self, connection: Connection, day: date) -> Figures:
        """The numbers of this shop's day."""
        room = self.people.room
        return figures(connection, room.account, room=room.chat, shop=self.shop, day=day)

    def text(self, found: Figures, day: date) -> str:
        """The digest as the owner reads it."""
        say = self.people.wording.say
        asked = "\n".join(f"• {times}x {question}" for question, times in found.missing)
        return say(
            "admin_ringkasan",
            hari=f"{DAYS[day.weekday()].capitalize()} {day.day} {_MONTHS[day.month - 1]}",
            pesan=found.messages,
            chat=found.chats,
            jawaban=found.answered,
            orang=found.by_people,
            diteruskan=found.handed_over,
            belum=found.unanswered,
            jualan=self._sales(found.takings),
            biaya=format_rupiah(found.cost_idr),
            batas=format_rupiah(self.budget_idr),
            kurang=say("admin_ringkasan_kurang", daftar=asked) if asked else "",
        )

    def _sales(self, of_day: Takings) -> str:
        """The day's orders and payments; empty for a shop that sold nothing through the chat."""
        if not of_day.ordered.count and not of_day.paid.count:
            return ""
        say = self.people.wording.say
        told = say(
            "admin_ringkasan_jualan",
            pesanan=_told(of_day.ordered),
            lunas=_told(of_day.paid),
            belum=_told(of_day.unpaid),
        )
        if of_day.unchecked.count:
            told += "\n" + say("admin_ringkasan_cek", jumlah=of_day.unchecked.count)
        return f"\n{told}"

    @property
    def _key(self) -> str:
        return f"digest:{self.people.room.account}"


def _told(orders: Sum) -> str:
    return f"{orders.count} ({format_rupiah(orders.idr)})" if orders.count else "0"
