"""The pure life of a payment: order, repetition and disorder of reports change nothing about its end."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.lifecycle import INVOICED, SETTLED, Alert, Change, News, Standing, after
from billing.report import Meaning
from store.attempts import State as AttemptState
from store.orders import State

TOTAL_IDR = 150_000


@dataclass
class _Attempt:
    state: AttemptState = AttemptState.OPEN
    meaning: Meaning | None = None
    transaction_id: str | None = None
    refunded_idr: int = 0


@dataclass
class Payment:
    """An order with its attempts, as the transaction that applies a change keeps them."""

    order: State = State.PENDING
    attempts: dict[str, _Attempt] = field(default_factory=dict)
    invoices: int = 0
    alerts: list[Alert] = field(default_factory=list)

    def report(self, attempt_id: str, news: News) -> Change:
        mine = self.attempts.setdefault(attempt_id, _Attempt())
        others = [one for key, one in self.attempts.items() if key != attempt_id]
        change = after(
            Standing(
                order=self.order,
                total_idr=TOTAL_IDR,
                attempt=mine.state,
                amount_idr=TOTAL_IDR,
                meaning=mine.meaning,
                transaction_id=mine.transaction_id,
                refunded_idr=mine.refunded_idr,
                received_elsewhere_idr=TOTAL_IDR * sum(one.state is AttemptState.PAID for one in others),
                refunded_elsewhere_idr=sum(one.refunded_idr for one in others),
                has_other_link=any(one.state in (AttemptState.OPEN, AttemptState.UNKNOWN) for one in others),
                other_meanings=tuple(one.meaning for one in others if one.meaning is not None),
                has_invoice=self.invoices > 0,
            ),
            news,
        )
        self.order = change.order
        self.attempts[attempt_id] = _Attempt(
            change.attempt, change.meaning, change.transaction_id, change.refunded_idr
        )
        self.invoices += change.pays
        if change.alert:
            self.alerts.append(change.alert)
        return change


def told(
    *reports: tuple[str, Meaning] | tuple[str, Meaning, int | None], order: State = State.PENDING
) -> Payment:
    """The end of these reports of one attempt: (transaction, meaning, refunded so far)."""
    payment = Payment(order=order)
    for transaction_id, meaning, *refunded in reports:
        payment.report(
            "B1-1",
            News(
                meaning=meaning, transaction_id=transaction_id, refunded_idr=refunded[0] if refunded else None
            ),
        )
    return payment


M = Meaning


@pytest.mark.parametrize(
    ("reports", "order", "alerts", "invoices"),
    [
        pytest.param([("a", M.PENDING), ("a", M.PAID)], State.PAID, [], 1, id="paid"),
        pytest.param([("a", M.PAID), ("a", M.PENDING)], State.PAID, [], 1, id="settlement then pending"),
        pytest.param([("a", M.PAID), ("a", M.PAID)], State.PAID, [], 1, id="capture then settlement"),
        pytest.param([("a", M.DENIED)], State.PENDING, [], 0, id="a deny closes nothing"),
        pytest.param([("a", M.DENIED), ("a", M.PAID)], State.PAID, [], 1, id="deny then settlement"),
        pytest.param([("a", M.DENIED), ("b", M.PAID)], State.PAID, [], 1, id="deny, then another card"),
        pytest.param(
            [("a", M.PAID), ("a", M.DENIED)], State.REVERSED, [Alert.REVERSED], 1, id="settlement then deny"
        ),
        pytest.param([("a", M.PAID), ("b", M.DENIED)], State.PAID, [], 1, id="a deny of something else"),
        pytest.param([("a", M.AUTHORIZED)], State.PENDING, [], 0, id="authorize takes nothing"),
        pytest.param([("a", M.CHALLENGED)], State.REVIEW, [Alert.REVIEW], 0, id="challenge"),
        pytest.param(
            [("a", M.CHALLENGED), ("a", M.CHALLENGED), ("a", M.PAID)],
            State.PAID,
            [Alert.REVIEW],
            1,
            id="a challenge that was accepted",
        ),
        pytest.param(
            [("a", M.CHALLENGED), ("a", M.DENIED)], State.PENDING, [Alert.REVIEW], 0, id="refused by a person"
        ),
        pytest.param([("a", M.EXPIRED)], State.EXPIRED, [], 0, id="expired"),
        pytest.param([("a", M.CANCELLED)], State.CANCELLED, [], 0, id="cancelled"),
        pytest.param([("a", M.FAILED)], State.FAILED, [], 0, id="failure"),
        pytest.param(
            [("a", M.EXPIRED), ("a", M.PAID)], State.PAID, [Alert.LATE], 1, id="settlement after expiry"
        ),
        pytest.param(
            [("a", M.PAID), ("a", M.EXPIRED)], State.PAID, [Alert.ODD], 1, id="no expiry after settlement"
        ),
        pytest.param(
            [("a", M.PAID), ("b", M.PAID), ("b", M.PAID), ("a", M.PAID)],
            State.OVERPAID,
            [Alert.OVERPAID],
            1,
            id="paid twice on one page",
        ),
        pytest.param(
            [("a", M.PAID), ("a", M.PART_REFUNDED, 50_000), ("a", M.PART_REFUNDED, 90_000)],
            State.PART_REFUNDED,
            [Alert.REFUNDED] * 2,
            1,
            id="refunds are cumulative",
        ),
        pytest.param(
            [("a", M.PAID), ("a", M.PART_REFUNDED, 90_000), ("a", M.PART_REFUNDED, 50_000)],
            State.PART_REFUNDED,
            [Alert.REFUNDED],
            1,
            id="an old refund takes nothing back",
        ),
        pytest.param(
            [("a", M.PAID), ("a", M.PART_REFUNDED, 50_000), ("a", M.REFUNDED, 150_000)],
            State.REFUNDED,
            [Alert.REFUNDED] * 2,
            1,
            id="refunded whole",
        ),
        pytest.param([("a", M.REFUNDED, None)], State.REFUNDED, [Alert.REFUNDED], 0, id="refund unseen"),
        pytest.param(
            [("a", M.PART_REFUNDED, 50_000)],
            State.PART_REFUNDED,
            [Alert.REFUNDED],
            1,
            id="some refunded before we heard",
        ),
        pytest.param(
            [("a", M.PAID), ("a", M.CHARGED_BACK), ("a", M.REFUNDED, 150_000)],
            State.CHARGEBACK,
            [Alert.CHARGEBACK],
            1,
            id="chargeback",
        ),
        pytest.param([("a", M.UNKNOWN)], State.PENDING, [Alert.UNKNOWN_STATUS], 0, id="unknown word"),
        pytest.param(
            [("a", M.PAID), ("a", M.UNKNOWN)], State.PAID, [Alert.UNKNOWN_STATUS], 1, id="unknown after paid"
        ),
    ],
)
def test_a_story_of_one_attempt_ends_as_it_should(
    reports: list[tuple[str, Meaning]], order: State, alerts: list[Alert], invoices: int
) -> None:
    payment = told(*reports)
    assert (payment.order, payment.alerts, payment.invoices) == (order, alerts, invoices)


@pytest.mark.parametrize("order", [State.EXPIRED, State.CANCELLED, State.FAILED])
def test_money_after_the_order_was_closed_is_money_and_an_alert(order: State) -> None:
    payment = told(("a", M.PENDING), ("a", M.PAID), order=order)
    assert (payment.order, payment.alerts, payment.invoices) == (State.PAID, [Alert.LATE], 1)


@pytest.mark.parametrize("meaning", [M.PENDING, M.DENIED, M.EXPIRED, M.CANCELLED, M.FAILED])
def test_a_link_that_ends_does_not_end_an_order_that_is_paid_by_bank_transfer(meaning: Meaning) -> None:
    assert told(("a", meaning), order=State.WAITING_CONFIRMATION).order is State.WAITING_CONFIRMATION


def test_a_link_pays_an_order_that_waited_for_a_transfer() -> None:
    payment = told(("a", M.PAID), order=State.WAITING_CONFIRMATION)
    assert (payment.order, payment.alerts) == (State.PAID, [])


def test_an_order_lives_as_long_as_one_of_its_links() -> None:
    payment = Payment()
    payment.attempts["B1-2"] = _Attempt()
    payment.report("B1-1", News(meaning=M.EXPIRED, transaction_id="a"))
    assert payment.order is State.PENDING
    payment.report("B1-2", News(meaning=M.EXPIRED, transaction_id="b"))
    assert payment.order is State.EXPIRED


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_order_whose_links_ended_in_two_ways_ends_the_same_whichever_was_last(
    order: tuple[int, int],
) -> None:
    reports = [
        ("B1-1", News(meaning=M.EXPIRED, transaction_id="a")),
        ("B1-2", News(meaning=M.CANCELLED, transaction_id="b")),
    ]
    payment = Payment()
    payment.attempts = {"B1-1": _Attempt(), "B1-2": _Attempt()}
    for number in order:
        payment.report(*reports[number])
    assert payment.order is State.CANCELLED


def test_both_links_paid_is_overpaid_once_and_a_refund_of_one_makes_it_right() -> None:
    payment = Payment()
    for transaction_id, attempt_id in (("a", "B1-1"), ("b", "B1-2"), ("b", "B1-2"), ("a", "B1-1")):
        payment.report(attempt_id, News(meaning=M.PAID, transaction_id=transaction_id))
    assert (payment.order, payment.alerts, payment.invoices) == (State.OVERPAID, [Alert.OVERPAID], 1)
    change = payment.report("B1-2", News(meaning=M.REFUNDED, transaction_id="b", refunded_idr=TOTAL_IDR))
    assert (payment.order, payment.invoices) == (State.PAID, 1)
    assert change.order_refunded_idr == TOTAL_IDR


def test_a_reversed_order_whose_other_link_was_paid_is_paid() -> None:
    payment = Payment()
    payment.report("B1-1", News(meaning=M.PAID, transaction_id="a"))
    payment.report("B1-2", News(meaning=M.PAID, transaction_id="b"))
    payment.report("B1-1", News(meaning=M.CANCELLED, transaction_id="a"))
    assert payment.order is State.PAID
    payment.report("B1-2", News(meaning=M.CANCELLED, transaction_id="b"))
    assert payment.order is State.REVERSED
    assert payment.invoices == 1


# What one transaction goes through by Midtrans's rules, but for a bank that takes a payment back: that is the
# one step back, and only the time of the question can tell it from an old report.
_UNPAID = [
    [M.PENDING],
    [M.PENDING, M.EXPIRED],
    [M.PENDING, M.CANCELLED],
    [M.PENDING, M.FAILED],
    [M.AUTHORIZED],
]
_PAID = [[M.PENDING, M.PAID], [M.CHALLENGED, M.PAID], [M.AUTHORIZED, M.PAID, M.PAID]]
_GIVEN_BACK: list[list[tuple[Meaning, int | None]]] = [
    [],
    [(M.PART_REFUNDED, 40_000)],
    [(M.PART_REFUNDED, 40_000), (M.PART_REFUNDED, 90_000)],
    [(M.PART_REFUNDED, 40_000), (M.REFUNDED, TOTAL_IDR)],
    [(M.CHARGED_BACK, None)],
]


def _paid_history(transaction_id: str) -> st.SearchStrategy[list[News]]:
    return st.tuples(st.sampled_from(_PAID), st.sampled_from(_GIVEN_BACK)).map(
        lambda parts: (
            [News(meaning=meaning, transaction_id=transaction_id) for meaning in parts[0]]
            + [
                News(meaning=meaning, transaction_id=transaction_id, refunded_idr=refunded)
                for meaning, refunded in parts[1]
            ]
        )
    )


@st.composite
def _of_attempt(draw: st.DrawFn, attempt_id: str) -> list[tuple[str, News]]:
    """Cards that were denied, and then one that was not, perhaps."""
    reports = [
        News(meaning=M.DENIED, transaction_id=f"{attempt_id}-denied-{number}")
        for number in range(draw(st.integers(0, 2)))
    ]
    last = f"{attempt_id}-last"
    if draw(st.booleans()):
        reports += draw(_paid_history(last))
    else:
        reports += [News(meaning=meaning, transaction_id=last) for meaning in draw(st.sampled_from(_UNPAID))]
    return [(attempt_id, news) for news in reports]


@st.composite
def _shuffled(draw: st.DrawFn) -> tuple[list[tuple[str, News]], list[tuple[str, News]]]:
    """All reports of an order with one or two links, and the same reports repeated and in any order."""
    reports = draw(_of_attempt("B1-1"))
    if draw(st.booleans()):
        reports += draw(_of_attempt("B1-2"))
    repeated = reports + draw(st.lists(st.sampled_from(reports), max_size=6))
    return reports, draw(st.permutations(repeated))


def _play(reports: Sequence[tuple[str, News]]) -> Payment:
    payment = Payment()
    # Both links are there before the first report of either comes.
    payment.attempts = {attempt_id: _Attempt() for attempt_id in sorted({key for key, _ in reports})}
    for attempt_id, news in reports:
        payment.report(attempt_id, news)
    return payment


@given(_shuffled())
def test_any_order_and_repetition_of_reports_ends_in_the_same_state(
    case: tuple[list[tuple[str, News]], list[tuple[str, News]]],
) -> None:
    told_in_order, told_anyhow = case
    straight, shuffled = _play(told_in_order), _play(told_anyhow)
    assert shuffled.order is straight.order
    assert {key: (one.state, one.refunded_idr) for key, one in shuffled.attempts.items()} == {
        key: (one.state, one.refunded_idr) for key, one in straight.attempts.items()
    }
    assert shuffled.invoices <= 1
    if shuffled.order in INVOICED:
        assert shuffled.invoices == 1


_ANY_NEWS = st.builds(
    News,
    meaning=st.sampled_from(list(Meaning)),
    transaction_id=st.sampled_from(["a", "b"]),
    refunded_idr=st.one_of(st.none(), st.integers(0, 2 * TOTAL_IDR)),
)


@given(
    st.sampled_from([State.CREATED, State.PENDING, State.WAITING_CONFIRMATION, State.EXPIRED]),
    st.lists(st.tuples(st.sampled_from(["B1-1", "B1-2"]), _ANY_NEWS), max_size=12),
)
def test_whatever_is_reported_an_order_is_settled_once_and_never_unpaid_again(
    order: State, reports: list[tuple[str, News]]
) -> None:
    payment = Payment(order=order)
    for attempt_id, news in reports:
        was = payment.order
        change = payment.report(attempt_id, news)
        if was in SETTLED:
            assert payment.order in SETTLED
        if payment.order in INVOICED:
            assert payment.invoices == 1
        assert 0 <= change.refunded_idr <= TOTAL_IDR
    assert payment.invoices <= 1


@given(st.lists(st.tuples(st.sampled_from(["B1-1", "B1-2"]), _ANY_NEWS), max_size=8), _ANY_NEWS)
def test_the_same_report_again_changes_nothing(reports: list[tuple[str, News]], news: News) -> None:
    payment = Payment()
    for attempt_id, one in reports:
        payment.report(attempt_id, one)
    payment.report("B1-1", news)
    before = (payment.order, dict(payment.attempts), payment.invoices)
    payment.report("B1-1", news)
    assert (payment.order, dict(payment.attempts), payment.invoices) == before


def test_every_pair_of_order_and_meaning_has_an_answer() -> None:
    for order, meaning, known in itertools.product(State, Meaning, [None, *Meaning]):
        if known is Meaning.UNKNOWN:
            continue
        standing = Standing(
            order=order,
            total_idr=TOTAL_IDR,
            attempt=AttemptState.OPEN,
            amount_idr=TOTAL_IDR,
            meaning=known,
            transaction_id="a",
            has_invoice=order in SETTLED,
        )
        change = after(standing, News(meaning=meaning, transaction_id="a"))
        assert not (order in SETTLED and change.order not in SETTLED)
