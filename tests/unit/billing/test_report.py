"""Reading Midtrans's reports: what they mean, what is wrong with them, and what people call the method."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.errors import MalformedReport
from billing.report import Meaning, Report

TRUE: dict[str, Any] = {
    "order_id": "B123456789-1",
    "transaction_id": "5e0f",
    "transaction_status": "settlement",
    "status_code": "200",
    "gross_amount": "150000.00",
    "currency": "IDR",
    "merchant_id": "G1",
    "payment_type": "qris",
    "settlement_time": "2026-10-05 14:02:31",
    "transaction_time": "2026-10-05 14:01:00",
}


def report(**changes: Any) -> Report:
    return Report.from_json({name: value for name, value in (TRUE | changes).items() if value is not None})


@pytest.mark.parametrize(
    ("changes", "meaning"),
    [
        ({}, Meaning.PAID),
        ({"fraud_status": "accept"}, Meaning.PAID),
        ({"transaction_status": "capture", "fraud_status": "accept"}, Meaning.PAID),
        ({"transaction_status": "SETTLEMENT", "fraud_status": "ACCEPT"}, Meaning.PAID),
        ({"status_code": "201"}, Meaning.UNKNOWN),
        ({"fraud_status": "maybe"}, Meaning.UNKNOWN),
        (
            {"transaction_status": "capture", "fraud_status": "challenge", "status_code": "201"},
            Meaning.CHALLENGED,
        ),
        ({"transaction_status": "capture", "fraud_status": "deny", "status_code": "202"}, Meaning.DENIED),
        ({"transaction_status": "authorize"}, Meaning.AUTHORIZED),
        ({"transaction_status": "pending", "status_code": "201"}, Meaning.PENDING),
        ({"transaction_status": "deny", "status_code": "202"}, Meaning.DENIED),
        ({"transaction_status": "expire", "status_code": "407"}, Meaning.EXPIRED),
        ({"transaction_status": "cancel"}, Meaning.CANCELLED),
        ({"transaction_status": "failure"}, Meaning.FAILED),
        ({"transaction_status": "refund"}, Meaning.REFUNDED),
        ({"transaction_status": "partial_refund"}, Meaning.PART_REFUNDED),
        ({"transaction_status": "chargeback"}, Meaning.CHARGED_BACK),
        ({"transaction_status": "partial_chargeback"}, Meaning.CHARGED_BACK),
        ({"transaction_status": "settled"}, Meaning.UNKNOWN),
        ({"transaction_status": "refund", "status_code": "500"}, Meaning.REFUNDED),
    ],
)
def test_what_a_report_means(changes: dict[str, str], meaning: Meaning) -> None:
    assert report(**changes).meaning is meaning


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, []),
        ({"currency": None}, []),
        ({"gross_amount": "150000"}, []),
        ({"gross_amount": "149999.99"}, ["gross_amount"]),
        ({"gross_amount": "150000.01"}, ["gross_amount"]),
        ({"gross_amount": "0.00"}, ["gross_amount"]),
        ({"currency": "USD"}, ["currency"]),
        ({"merchant_id": "G2"}, ["merchant_id"]),
        ({"merchant_id": None}, ["merchant_id"]),
        ({"order_id": "B123456789-2"}, ["order_id"]),
        (
            {"order_id": "B1", "gross_amount": "1", "currency": "SGD"},
            ["order_id", "gross_amount", "currency"],
        ),
    ],
)
def test_what_is_not_what_was_asked_for_is_named(changes: dict[str, str], wrong: list[str]) -> None:
    found = report(**changes).mismatches(attempt_id="B123456789-1", amount_idr=150_000, merchant_id="G1")
    assert found == wrong


def with_fee(gross: str, original: object) -> Report:
    return report(
        gross_amount=gross,
        metadata={"extra_info": {"gross_amount_info": {"original_amount": original}}},
    )


@pytest.mark.parametrize("original", ["150000.00", 150000, 150000.0])
def test_a_fee_on_top_leaves_the_price_as_it_was(original: object) -> None:
    found = with_fee("151050.00", original)
    assert found.price == Decimal(150000)
    assert found.mismatches(attempt_id="B123456789-1", amount_idr=150_000, merchant_id=None) == []


def test_a_price_that_is_more_than_what_was_paid_is_a_lie() -> None:
    found = with_fee("1.00", "150000.00")
    assert found.mismatches(attempt_id="B123456789-1", amount_idr=150_000, merchant_id=None) == [
        "gross_amount"
    ]


@pytest.mark.parametrize(
    ("changes", "called"),
    [
        ({}, "QRIS"),
        ({"payment_type": "gopay"}, "GoPay"),
        ({"payment_type": "bank_transfer", "va_numbers": [{"bank": "bca", "va_number": "1"}]}, "VA BCA"),
        ({"payment_type": "bank_transfer", "permata_va_number": "1"}, "VA Permata"),
        ({"payment_type": "bank_transfer"}, "VA"),
        ({"payment_type": "echannel"}, "Mandiri Bill"),
        ({"payment_type": "cstore", "store": "alfamart"}, "Alfamart"),
        ({"payment_type": "credit_card"}, "Kartu"),
        ({"payment_type": "brand_new_pay"}, "Brand New Pay"),
        ({"payment_type": None}, "Midtrans"),
        ({"payment_type": "bank_transfer", "va_numbers": ["x"]}, "VA"),
    ],
)
def test_a_method_is_called_as_people_call_it(changes: dict[str, Any], called: str) -> None:
    assert report(**changes).method == called


def test_midtranss_times_are_those_of_western_indonesia() -> None:
    assert report().paid_at == datetime(2026, 10, 5, 7, 2, 31, tzinfo=UTC)
    assert report(settlement_time=None).paid_at == datetime(2026, 10, 5, 7, 1, tzinfo=UTC)
    assert report(settlement_time="kapan-kapan", transaction_time=None).paid_at is None


@pytest.mark.parametrize(
    "changes",
    [
        {"order_id": None},
        {"order_id": 5},
        {"order_id": ""},
        {"order_id": "x" * 300},
        {"transaction_id": None},
        {"transaction_status": None},
        {"status_code": 200},
        {"gross_amount": "banyak"},
        {"gross_amount": "NaN"},
        {"gross_amount": "-1"},
        {"gross_amount": "1e400"},
        {"gross_amount": 150000},
        {"refund_amount": "x"},
        {"fraud_status": ["accept"]},
        {"metadata": {"extra_info": {"gross_amount_info": {"original_amount": "x"}}}},
    ],
)
def test_what_is_no_report_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedReport):
        report(**changes)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.sampled_from([*TRUE, "fraud_status", "refund_amount", "metadata", "va_numbers", "store"]), _JSON
    )
)
def test_no_body_raises_anything_else(changes: dict[str, Any]) -> None:
    try:
        found = Report.from_json(TRUE | changes)
    except MalformedReport:
        return
    assert found.meaning in Meaning
    assert isinstance(found.method, str)
    found.mismatches(attempt_id="B1-1", amount_idr=1, merchant_id="G1")
