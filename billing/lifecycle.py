"""The life of an order's payment: what a confirmed report of Midtrans changes. Pure.

    created > pending > paid | review | expired | cancelled | failed
    waiting_confirmation > paid                       (a person, see billing.transfer)
    paid > part_refunded | refunded | reversed | chargeback, and overpaid when money came twice

Only what GET status answered to a question about *our* attempt comes in here. Reports may come late, twice
and in any order. What is known of an attempt only moves up (``_RANK``), so that an old report changes
nothing: whatever order they come in, the end is the same. The one step back is a bank that takes a payment
back (deny or cancel after settlement); whether that is news or an old report only the time of the question
can tell, which ``billing.payments`` compares.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from billing.report import Meaning
from store.attempts import State as AttemptState
from store.orders import State

_RANK = {
    Meaning.PENDING: 0,
    Meaning.AUTHORIZED: 1,
    Meaning.CHALLENGED: 2,
    Meaning.DENIED: 3,
    Meaning.FAILED: 4,
    Meaning.EXPIRED: 5,
    Meaning.CANCELLED: 6,
    Meaning.PAID: 7,
    Meaning.PART_REFUNDED: 8,
    Meaning.REFUNDED: 9,
    Meaning.CHARGED_BACK: 10,
}
_LIVE = frozenset({Meaning.PENDING, Meaning.AUTHORIZED, Meaning.CHALLENGED})
_OVER = {
    Meaning.FAILED: State.FAILED,
    Meaning.EXPIRED: State.EXPIRED,
    Meaning.CANCELLED: State.CANCELLED,
}
_CLOSED = (State.FAILED, State.EXPIRED, State.CANCELLED)
_MONEY = frozenset({Meaning.PAID, Meaning.PART_REFUNDED, Meaning.REFUNDED, Meaning.CHARGED_BACK})
# Orders in these have been paid at some time.
SETTLED = frozenset(
    {
        State.PAID,
        State.PART_REFUNDED,
        State.REFUNDED,
        State.REVERSED,
        State.CHARGEBACK,
        State.OVERPAID,
    }
)
# Orders in these have exactly one invoice; in those of SETTLED beside them they may have one.
INVOICED = frozenset({State.PAID, State.PART_REFUNDED, State.OVERPAID})


class Alert(StrEnum):
    """What the owner must hear of at once, beside a plain payment."""

    LATE = "late"  # paid after it was closed here: is it still in stock?
    OVERPAID = "overpaid"  # paid twice: give one back
    REVIEW = "review"  # a card that may be stolen: look into Midtrans's dashboard
    REVERSED = "reversed"  # the bank took it back: do not deliver
    REFUNDED = "refunded"  # given back, wholly or in part, by somebody in the dashboard
    CHARGEBACK = "chargeback"  # the card's owner disputes it
    UNKNOWN_STATUS = "unknown_status"  # Midtrans has a new word
    ODD = "odd"  # something that Midtrans's rules do not know: look into the dashboard


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """All that counts of an order and one of its attempts before the report."""

    order: State
    total_idr: int
    attempt: AttemptState
    amount_idr: int  # the attempt's
    meaning: Meaning | None = None  # what is known of the attempt so far
    transaction_id: str | None = None
    refunded_idr: int = 0  # of the attempt
    received_elsewhere_idr: int = 0  # by the order's other attempts, or a bank transfer
    refunded_elsewhere_idr: int = 0
    has_other_link: bool = False  # another attempt may still bring money
    other_meanings: tuple[Meaning, ...] = ()  # what is known of the order's other attempts
    has_invoice: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """A confirmed report of the attempt."""

    meaning: Meaning
    transaction_id: str
    refunded_idr: int | None = None  # in all, so far; None: it does not say


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """How it stands after the report. ``pays``: the order is to be settled now, with its invoice."""

    order: State
    attempt: AttemptState
    meaning: Meaning | None
    transaction_id: str | None
    refunded_idr: int
    order_refunded_idr: int
    pays: bool = False
    alert: Alert | None = None


def after(standing: Standing, news: News) -> Change:
    """What the report changes."""
    if news.meaning is Meaning.UNKNOWN:
        return _unchanged(standing, Alert.UNKNOWN_STATUS)
    known, same = standing.meaning, standing.transaction_id in (None, news.transaction_id)
    if known in _MONEY:
        if news.meaning in _MONEY:
            return _more_money(standing, news) if same else _second_payment(standing, news)
        return _taken_back(standing, news) if same else _unchanged(standing)
    if news.meaning in _MONEY:
        return _money(standing, news)
    if known is not None and not _is_newer(standing, news, same=same):
        return _unchanged(standing)
    return _no_money(standing, news)


def _is_newer(standing: Standing, news: News, *, same: bool) -> bool:
    """Whether a report without money says more than what is known, which is without money too."""
    known = standing.meaning
    assert known is not None
    if same or (known in _LIVE) == (news.meaning in _LIVE):
        return _RANK[news.meaning] > _RANK[known]
    # Another transaction on the same page: a living one counts, whatever became of the one before it.
    return news.meaning in _LIVE


def _no_money(standing: Standing, news: News) -> Change:
    order, alert = standing.order, None
    is_over = news.meaning in _OVER
    if news.meaning is Meaning.CHALLENGED:
        if order not in SETTLED:
            order = State.REVIEW
        # Said once, when it is new; beside a paid order too, for the card is charged.
        alert = Alert.REVIEW
    elif is_over and order in _CLOSED:
        order = max(order, _closed_by(standing, news), key=_CLOSED.index)
    elif order is State.REVIEW and standing.meaning is Meaning.CHALLENGED:
        # The person decided, or nobody did in time.
        order = _closed_by(standing, news) if is_over and not standing.has_other_link else State.PENDING
    elif order in (State.CREATED, State.PENDING):
        if is_over and not standing.has_other_link:
            order = _closed_by(standing, news)
        elif news.meaning in _LIVE:
            order = State.PENDING
    if is_over:
        attempt = AttemptState.CLOSED
    elif news.meaning in _LIVE or standing.attempt is not AttemptState.CLOSED:
        # Living at Midtrans, whatever we believed: money may come, so it is asked about again.
        attempt = AttemptState.OPEN
    else:
        attempt = standing.attempt
    return _changed(standing, news, order=order, attempt=attempt, alert=alert)


def _closed_by(standing: Standing, news: News) -> State:
    """How the order ends with its last link: whichever link ended last, the same."""
    ends = [_OVER[meaning] for meaning in (news.meaning, *standing.other_meanings) if meaning in _OVER]
    return max(ends, key=_CLOSED.index)


def _money(standing: Standing, news: News) -> Change:
    """Money came by this attempt for the first time."""
    refunded_idr = _refunded(standing, news)
    order = _by_money(standing, news, refunded_idr)
    alert = _alert_of(news, order)
    if order is State.OVERPAID:
        alert = Alert.OVERPAID
    elif standing.order in _CLOSED:
        alert = alert or Alert.LATE
    elif standing.order in SETTLED and alert is None:
        # It was reversed, refunded or disputed, and now there is money again.
        alert = Alert.ODD
    return _changed(
        standing, news, order=order, attempt=AttemptState.PAID, refunded_idr=refunded_idr, alert=alert
    )


def _more_money(standing: Standing, news: News) -> Change:
    """The same payment again, or something was given back of it."""
    known = standing.meaning
    assert known is not None
    refunded_idr = _refunded(standing, news)
    if _RANK[news.meaning] < _RANK[known]:
        return _unchanged(standing)
    if news.meaning is known and refunded_idr == standing.refunded_idr:
        return _unchanged(standing)
    order = _by_money(standing, news, refunded_idr)
    return _changed(
        standing,
        news,
        order=order,
        attempt=AttemptState.PAID,
        refunded_idr=refunded_idr,
        alert=_alert_of(news, order),
    )


def _second_payment(standing: Standing, news: News) -> Change:
    """Another transaction on the page of one that is paid; Midtrans should not let it happen."""
    if news.meaning is not Meaning.PAID:
        return _unchanged(standing, Alert.ODD)
    if standing.order is State.OVERPAID:
        return _unchanged(standing)
    order = State.OVERPAID if standing.order in INVOICED else standing.order
    return Change(
        order=order,
        attempt=standing.attempt,
        meaning=standing.meaning,
        transaction_id=standing.transaction_id,
        refunded_idr=standing.refunded_idr,
        order_refunded_idr=standing.refunded_elsewhere_idr + standing.refunded_idr,
        alert=Alert.OVERPAID,
    )


def _taken_back(standing: Standing, news: News) -> Change:
    """After the money: pending is an old report; deny and cancel mean that the bank took it back."""
    if news.meaning not in (Meaning.DENIED, Meaning.CANCELLED):
        odd = news.meaning in (Meaning.FAILED, Meaning.EXPIRED)
        return _unchanged(standing, Alert.ODD if odd else None)
    received_idr, refunded_idr = standing.received_elsewhere_idr, standing.refunded_elsewhere_idr
    order = _state_of(standing.total_idr, received_idr, refunded_idr) if received_idr else State.REVERSED
    return _changed(
        standing, news, order=order, attempt=AttemptState.CLOSED, refunded_idr=0, alert=Alert.REVERSED
    )


def _by_money(standing: Standing, news: News, refunded_idr: int) -> State:
    if news.meaning is Meaning.CHARGED_BACK or standing.order is State.CHARGEBACK:
        return State.CHARGEBACK
    received = standing.received_elsewhere_idr + standing.amount_idr
    order = _state_of(standing.total_idr, received, standing.refunded_elsewhere_idr + refunded_idr)
    # Two payments on one page are one attempt, whose second amount is counted nowhere.
    unexplained = standing.order is State.OVERPAID and order is State.PAID
    return State.OVERPAID if unexplained and refunded_idr == 0 else order


def _state_of(total_idr: int, received_idr: int, refunded_idr: int) -> State:
    left_idr = received_idr - refunded_idr
    if left_idr > total_idr:
        return State.OVERPAID
    if left_idr == total_idr:
        return State.PAID
    return State.PART_REFUNDED if left_idr > 0 else State.REFUNDED


def _refunded(standing: Standing, news: News) -> int:
    """What was given back of this attempt in all; never less than was known."""
    if news.meaning is Meaning.REFUNDED and news.refunded_idr is None:
        said = standing.amount_idr
    elif news.meaning in (Meaning.REFUNDED, Meaning.PART_REFUNDED):
        said = news.refunded_idr or 0
    else:
        said = 0
    # A refund may include the fee that the customer had paid on top.
    return max(standing.refunded_idr, min(said, standing.amount_idr))


def _alert_of(news: News, order: State) -> Alert | None:
    if news.meaning is Meaning.CHARGED_BACK:
        return Alert.CHARGEBACK
    if news.meaning in (Meaning.REFUNDED, Meaning.PART_REFUNDED):
        return Alert.REFUNDED
    return Alert.OVERPAID if order is State.OVERPAID else None


def _unchanged(standing: Standing, alert: Alert | None = None) -> Change:
    return Change(
        order=standing.order,
        attempt=standing.attempt,
        meaning=standing.meaning,
        transaction_id=standing.transaction_id,
        refunded_idr=standing.refunded_idr,
        order_refunded_idr=standing.refunded_elsewhere_idr + standing.refunded_idr,
        alert=alert,
    )


def _changed(
    standing: Standing,
    news: News,
    *,
    order: State,
    attempt: AttemptState,
    refunded_idr: int | None = None,
    alert: Alert | None = None,
) -> Change:
    refunded = standing.refunded_idr if refunded_idr is None else refunded_idr
    return Change(
        order=order,
        attempt=attempt,
        meaning=news.meaning,
        transaction_id=news.transaction_id,
        refunded_idr=refunded,
        order_refunded_idr=standing.refunded_elsewhere_idr + refunded,
        # What was given back whole before we heard of it was no sale, and has no invoice.
        pays=order in INVOICED and not standing.has_invoice,
        alert=alert,
    )
