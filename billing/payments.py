"""Confirming payments: ask Midtrans by our own id, compare, and change everything in one transaction.

A notification is only the reason to ask. What it says itself is never believed: its signature leaves out the
status, and an old one can be sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

import structlog
from sqlalchemy import Connection

from billing import lifecycle
from billing.errors import MidtransMisconfigured, MidtransUnavailable
from billing.invoice import InvoiceBody, InvoiceLine, needs_stamp_duty
from billing.lifecycle import Alert, Change, News, Standing
from billing.midtrans import Midtrans
from billing.outage import Outage
from billing.report import Meaning, Report
from billing.rupiah import format_rupiah
from billing.till import Till, customer_of, database_time, goods, listed, tell_owner
from store import alerts, attempts, invoices, linked, orders, outbox
from store.attempts import Attempt
from store.attempts import State as AttemptState
from store.doors import Store
from store.invoices import Invoice
from store.orders import Method, Order, State
from store.outbox import NewMessage, Purpose

log = structlog.get_logger(__name__)

# A question that was overtaken by a later one is asked again; more than this, and something keeps overtaking.
MOST_QUESTIONS = 5

# Runs in the transaction that applies what Midtrans said, and may undo it by raising.
Finish = Callable[[Connection, "Outcome"], None]


class Outcome(StrEnum):
    """What came of asking about an attempt."""

    NO_ATTEMPT = "no_attempt"  # the id is none of ours
    NOTHING_YET = "nothing_yet"  # its customer has picked no method
    MISMATCH = "mismatch"  # the report is not about what we asked for; nothing was changed
    UNCHANGED = "unchanged"  # nothing new
    CHANGED = "changed"  # something new, and no money for the first time
    PAID = "paid"  # the order is paid now
    OVERTAKEN = "overtaken"  # a later question was answered before this one


@dataclass(kw_only=True)
class Payments:
    """Asks Midtrans about attempts and applies what it says."""

    store: Store
    midtrans: Midtrans
    till: Till
    outage: Outage

    async def confirm(self, attempt_id: str, *, finish: Finish | None = None) -> Outcome:
        """Ask how the attempt stands and make it so; ``finish`` runs last in the same transaction.

        Raises ``billing.errors`` when Midtrans cannot be asked, and whatever ``finish`` raises.
        """
        if await self.store.read(lambda c: attempts.get(c, attempt_id)) is None:
            if finish is not None:
                await self.store.write(lambda c: finish(c, Outcome.NO_ATTEMPT))
            return Outcome.NO_ATTEMPT
        for _ in range(MOST_QUESTIONS):
            # By the database's clock, and before the question: an answer is never older than this.
            asked_ms = await self.store.read(database_time)
            report = await self._ask(attempt_id)
            outcome = await self.store.write(partial(self._apply, attempt_id, report, asked_ms, finish))
            if outcome is not Outcome.OVERTAKEN:
                log.info("payment_asked", attempt=attempt_id, outcome=outcome.value)
                return outcome
        raise MidtransUnavailable("other questions about this payment keep overtaking this one")

    async def _ask(self, attempt_id: str) -> Report | None:
        try:
            report = await self.midtrans.status(attempt_id)
        except MidtransMisconfigured as exc:
            await self.outage.key_refused(str(exc))
            raise
        except MidtransUnavailable as exc:
            await self.outage.failed(str(exc))
            raise
        await self.outage.answered()
        return report

    def _apply(
        self,
        attempt_id: str,
        report: Report | None,
        asked_ms: int,
        finish: Finish | None,
        connection: Connection,
    ) -> Outcome:
        outcome = self._applied(connection, attempt_id, report, asked_ms=asked_ms)
        if finish is not None and outcome is not Outcome.OVERTAKEN:
            finish(connection, outcome)
        return outcome

    def _applied(
        self, connection: Connection, attempt_id: str, report: Report | None, *, asked_ms: int
    ) -> Outcome:
        attempt = attempts.get(connection, attempt_id)
        order = None if attempt is None else orders.lock(connection, attempt.order_id)
        if attempt is None or order is None:
            return Outcome.NO_ATTEMPT
        if attempt.checked_ms is not None and asked_ms < attempt.checked_ms:
            return Outcome.OVERTAKEN
        if report is None:
            attempts.checked(connection, attempt.id, asked_ms=asked_ms)
            return Outcome.NOTHING_YET
        wrong = report.mismatches(
            attempt_id=attempt.id, amount_idr=attempt.amount_idr, merchant_id=self.till.settings.merchant_id
        )
        if wrong:
            attempts.checked(connection, attempt.id, asked_ms=asked_ms)
            self._tell_of_mismatch(connection, order, attempt, wrong)
            return Outcome.MISMATCH
        return apply_report(connection, self.till, order, attempt, report, asked_ms=asked_ms)

    def _tell_of_mismatch(
        self, connection: Connection, order: Order, attempt: Attempt, wrong: list[str]
    ) -> None:
        log.error("payment_mismatch", attempt=attempt.id, fields=wrong)
        about = f"order {order.id}: Midtrans reports another {', '.join(wrong)}"
        if alerts.raise_once(connection, _fingerprint(self.till, attempt), about):
            tell_owner(connection, self.till, order, "admin_bayar_beda", beda=", ".join(wrong))


def apply_report(
    connection: Connection, till: Till, order: Order, attempt: Attempt, report: Report, *, asked_ms: int
) -> Outcome:
    """Make the order and its attempt what Midtrans confirmed; the order must be locked.

    ``report`` was asked for at ``asked_ms`` and is about this attempt, its amount, currency and merchant.
    """
    change = lifecycle.after(_standing(connection, order, attempt), _news(report))
    before = (attempt.state, attempt.status, attempt.transaction_id, attempt.refunded_idr)
    now = (
        change.attempt,
        None if change.meaning is None else change.meaning.value,
        change.transaction_id,
        change.refunded_idr,
    )
    if before == now:
        attempts.checked(connection, attempt.id, asked_ms=asked_ms)
    else:
        attempts.reported(
            connection,
            attempt.id,
            state=change.attempt,
            status=now[1] or "",
            transaction_id=change.transaction_id,
            payment_type=report.payment_type or attempt.payment_type,
            refunded_idr=change.refunded_idr,
            asked_ms=asked_ms,
        )
    if change.pays:
        paid_ms = None if report.paid_at is None else int(report.paid_at.timestamp() * 1000)
        settle_paid(
            connection,
            till,
            order,
            by=report.transaction_id,
            via=Method.MIDTRANS,
            method=report.method,
            paid_ms=paid_ms,
        )
    current = State.PAID if change.pays else order.state
    if (change.order, change.order_refunded_idr) != (current, order.refunded_idr):
        orders.move(
            connection, order.id, was=current, to=change.order, refunded_idr=change.order_refunded_idr
        )
    if change.alert is None:
        alerts.recover(connection, _fingerprint(till, attempt))
    else:
        _alert(connection, till, order, attempt, report, change)
    if change.pays:
        return Outcome.PAID
    return Outcome.UNCHANGED if before == now and change.order is order.state else Outcome.CHANGED


def settle_paid(
    connection: Connection,
    till: Till,
    order: Order,
    *,
    by: str,
    via: Method,
    method: str,
    paid_ms: int | None = None,
) -> Invoice:
    """Make the order paid: its state, its invoice, the customer's thanks and invoice, the owner's notice.

    The one function that does, for Midtrans and for bank transfers. ``by`` is Midtrans's transaction or
    whoever confirmed the transfer, ``method`` how people call the way it was paid. The order must be locked.
    """
    existing = invoices.of_order(connection, order.id)
    now = database_time(connection)
    # A clock of Midtrans's that is ahead of ours must not date an invoice into the future.
    paid_ms = now if paid_ms is None else min(paid_ms, now)
    values = {"paid_ms": paid_ms, "paid_by": by, "method": via.value, "note": None}
    if not orders.move(connection, order.id, was=order.state, to=State.PAID, **values):
        raise RuntimeError(f"order {order.id} changed while it was locked")
    if existing is not None:
        return existing
    lines = orders.lines_of(connection, order.id)
    period = f"{till.time(now):%Y-%m}"
    number, sequence = invoices.next_number(connection, order.account, period=period)
    buyer = customer_of(connection, order)
    billing, shop = till.settings, till.shop
    body = InvoiceBody(
        number=number,
        order_id=order.id,
        paid_ms=paid_ms,
        zone=shop.zona_waktu.key,
        method=method,
        shop_name=shop.nama,
        shop_address=shop.alamat,
        # As the settings have it, or as the phone said when it was linked.
        shop_number=till.shop_number or linked.number(connection, order.account),
        shop_about=shop.tentang,
        shop_npwp=billing.npwp or "",
        logo="" if shop.logo is None else str(shop.logo),
        has_ppn=billing.ppn,
        customer_name=order.details.get("nama") or buyer.name,
        customer_number=buyer.number,
        details=order.details,
        lines=tuple(
            InvoiceLine(kind=line.kind.value, name=line.name, quantity=line.quantity, unit_idr=line.unit_idr)
            for line in lines
        ),
        total_idr=order.total_idr,
    )
    invoice = invoices.issue(
        connection,
        order.account,
        order_id=order.id,
        period=period,
        sequence=sequence,
        body=body.as_json(),
        link_valid_ms=billing.link_valid_ms,
    )
    _thank(connection, till, order, [line.after_payment for line in lines])
    till.post.post(connection, invoice, order)
    tell_owner(
        connection,
        till,
        order,
        "admin_lunas",
        barang=goods(lines),
        invoice=number,
        cara=method,
        jam=f"{till.time(paid_ms):%H.%M}",
        rincian=listed(order.details),
        added=till.wording.say("admin_meterai") if needs_stamp_duty(order.total_idr) else "",
    )
    return invoice


def write_to_customer(connection: Connection, order: Order, body: str) -> None:
    """A message about the order in its chat; nothing when its customer was deleted."""
    if order.chat is None:
        return
    outbox.add(
        connection,
        NewMessage(
            account=order.account,
            transport=order.transport,
            chat=order.chat,
            body=body,
            purpose=Purpose.RECEIPT,
            customer_id=order.customer_id,
        ),
    )


def _thank(connection: Connection, till: Till, order: Order, after_payment: list[str]) -> None:
    thanks = till.wording.say("bayar_lunas", total=format_rupiah(order.total_idr))
    # Two lines of the order may promise the same thing; it is said once.
    promised = [text.strip() for text in dict.fromkeys(after_payment) if text.strip()]
    write_to_customer(connection, order, "\n\n".join([thanks, *promised]))


def _standing(connection: Connection, order: Order, attempt: Attempt) -> Standing:
    others = [one for one in attempts.of_order(connection, order.id) if one.id != attempt.id]
    paid = [one for one in others if one.state is AttemptState.PAID]
    has_invoice = invoices.of_order(connection, order.id) is not None
    transferred = order.total_idr if has_invoice and order.method is Method.TRANSFER else 0
    return Standing(
        order=order.state,
        total_idr=order.total_idr,
        attempt=attempt.state,
        amount_idr=attempt.amount_idr,
        meaning=None if attempt.status is None else Meaning(attempt.status),
        transaction_id=attempt.transaction_id,
        refunded_idr=attempt.refunded_idr,
        received_elsewhere_idr=transferred + sum(one.amount_idr for one in paid),
        refunded_elsewhere_idr=sum(one.refunded_idr for one in others),
        has_other_link=any(one.state in (AttemptState.OPEN, AttemptState.UNKNOWN) for one in others),
        other_meanings=tuple(Meaning(one.status) for one in others if one.status is not None),
        has_invoice=has_invoice,
    )


def _news(report: Report) -> News:
    refunded = None if report.refunded is None else int(report.refunded)
    return News(meaning=report.meaning, transaction_id=report.transaction_id, refunded_idr=refunded)


_SENTENCES = {
    Alert.LATE: "admin_bayar_terlambat",
    Alert.OVERPAID: "admin_bayar_ganda",
    Alert.REVIEW: "admin_bayar_tinjau",
    Alert.REVERSED: "admin_bayar_ditarik",
    Alert.REFUNDED: "admin_bayar_kembali",
    Alert.CHARGEBACK: "admin_bayar_sengketa",
    Alert.UNKNOWN_STATUS: "admin_bayar_status",
    Alert.ODD: "admin_bayar_aneh",
}


def _alert(
    connection: Connection, till: Till, order: Order, attempt: Attempt, report: Report, change: Change
) -> None:
    alert = change.alert
    assert alert is not None
    # Those two change nothing, so that the next question brings them again.
    repeats = alert in (Alert.UNKNOWN_STATUS, Alert.ODD)
    if repeats and not alerts.raise_once(
        connection, _fingerprint(till, attempt), f"order {order.id}: Midtrans reports {report.status}"
    ):
        return
    log.warning("payment_alert", order=order.id, alert=alert.value, status=report.status)
    values: dict[str, str] = {}
    if alert is Alert.OVERPAID:
        values = {"transaksi": f"{_paid_by(connection, order, attempt)} dan {report.transaction_id}"}
    elif alert is Alert.REFUNDED:
        values = {"jumlah": format_rupiah(change.order_refunded_idr)}
    elif repeats:
        values = {"status": report.status}
    tell_owner(connection, till, order, _SENTENCES[alert], **values)


def _fingerprint(till: Till, attempt: Attempt) -> str:
    return f"payment:{till.account}:{attempt.id}"


def _paid_by(connection: Connection, order: Order, attempt: Attempt) -> str:
    """The other payment: the one that the order was settled by, unless it is this attempt's own."""
    current = orders.get(connection, order.id)
    return (current.paid_by if current is not None else None) or attempt.transaction_id or "-"
