"""Trust: after enough drafts that went out unchanged the bot asks to go on alone for that kind of answer."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from bot.people import People
from bot.selling import marks
from store import handoffs, meta

# So many approvals in a row, without a changed or dropped draft of the kind between them.
ENOUGH = 20
ALONE = "alone"
_GREETING = "sapaan"
# What a source's id begins with, and what the owner calls answers of that kind.
NAMES = {_GREETING: "salam dan sapaan", "faq": "tanya jawab (FAQ)", "katalog": "harga dan barang"}
_OTHER = "dokumen"


def topic(source_ids: Sequence[str]) -> str:
    """The kind of an answer by what it rests on; one that rests on several kinds is a kind of its own."""
    # What marks a step of a sale is no source.
    kinds = {source.partition(":")[0] for source in source_ids if not marks.is_mark(source)}
    return "+".join(sorted(kind if kind in NAMES else _OTHER for kind in kinds)) or _GREETING


def name(topic_: str) -> str:
    """The kind as the owner reads it."""
    return " + ".join(NAMES.get(kind, _OTHER) for kind in topic_.split("+"))


def is_alone(connection: Connection, account: str, topic_: str) -> bool:
    """Whether answers of this kind need nobody's word any more."""
    return meta.get(connection, _key(account, topic_)) == ALONE


def approved(connection: Connection, people: People, topic_: str) -> None:
    """A draft of the kind went out as it was; the offer comes with the last that is needed."""
    account = people.room.account
    stored = meta.get(connection, _key(account, topic_)) or "0"
    if stored == ALONE:
        return
    count = int(stored) + 1
    meta.put(connection, _key(account, topic_), str(count))
    if count % ENOUGH == 0:
        outbox_id = people.notify(
            connection,
            people.wording.say("admin_boleh_sendiri", jumlah=count, jenis=name(topic_)),
            kind=handoffs.TRUST,
        )
        if outbox_id is not None:
            meta.put(connection, _offer(account, outbox_id), topic_)


def corrected(connection: Connection, account: str, topic_: str) -> None:
    """A draft of the kind was changed or dropped: the count begins again, and so does the asking."""
    meta.put(connection, _key(account, topic_), "0")


def let_go(connection: Connection, account: str, topic_: str) -> None:
    """From now on answers of this kind go out by themselves."""
    meta.put(connection, _key(account, topic_), ALONE)


def of_notice(connection: Connection, account: str, outbox_id: int) -> str | None:
    """The kind that an offer is about."""
    return meta.get(connection, _offer(account, outbox_id))


def _key(account: str, topic_: str) -> str:
    return f"trust:{account}:{topic_}"


def _offer(account: str, outbox_id: int) -> str:
    return f"trust_offer:{account}:{outbox_id}"
