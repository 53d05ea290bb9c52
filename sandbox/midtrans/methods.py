"""The ways to pay: their names in `enabled_payments`, their bounds, and what each adds to a report. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# Bank Indonesia's limit for one QRIS payment.
QRIS_MOST_IDR = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Method:
    """One way to pay. ``extras`` gives the report's own fields for a transaction id."""

    name: str
    label: str  # as the page shows it
    payment_type: str
    extras: Callable[[str], dict[str, Any]]
    least_idr: int = 1
    most_idr: int | None = None
    has_fraud_status: bool = True
    # Cards are captured first and settled at night.
    pays_by: str = "settlement"


def _digits(seed: str, count: int) -> str:
    """Digits that look random and are the same for the same transaction."""
    return str(int(hashlib.sha256(seed.encode()).hexdigest(), 16))[:count]


def _va(bank: str, prefix: str) -> Callable[[str], dict[str, Any]]:
    return lambda seed: {"va_numbers": [{"bank": bank, "va_number": prefix + _digits(seed, 13)}]}


def _qris(seed: str) -> dict[str, Any]:
    return {
        "acquirer": "gopay",
        "issuer": "gopay",
        "transaction_type": "off-us",
        "merchant_cross_reference_id": seed,
    }


def _card(seed: str) -> dict[str, Any]:
    return {
        "masked_card": "48111111-1114",
        "bank": "bni",
        "card_type": "credit",
        "channel_response_code": "00",
        "channel_response_message": "Approved",
        "approval_code": _digits(seed, 12),
        "eci": "05",
    }


METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        Method(
            name="qris", label="QRIS", payment_type="qris", extras=_qris, least_idr=1, most_idr=QRIS_MOST_IDR
        ),
        Method(name="gopay", label="GoPay", payment_type="gopay", extras=lambda seed: {}),
        Method(
            name="bca_va",
            label="BCA Virtual Account",
            payment_type="bank_transfer",
            extras=_va("bca", "812"),
            least_idr=10_000,
        ),
        Method(
            name="bni_va", label="BNI Virtual Account", payment_type="bank_transfer", extras=_va("bni", "988")
        ),
        Method(
            name="bri_va", label="BRI Virtual Account", payment_type="bank_transfer", extras=_va("bri", "262")
        ),
        Method(
            name="permata_va",
            label="Permata Virtual Account",
            payment_type="bank_transfer",
            extras=lambda seed: {"permata_va_number": "850" + _digits(seed, 13)},
        ),
        Method(
            name="echannel",
            label="Mandiri Bill",
            payment_type="echannel",
            extras=lambda seed: {"biller_code": "70012", "bill_key": _digits(seed, 12)},
        ),
        Method(
            name="indomaret",
            label="Indomaret",
            payment_type="cstore",
            extras=lambda seed: {"store": "indomaret", "payment_code": _digits(seed, 14)},
            # As the service itself: over the counter nobody looks for fraud.
            has_fraud_status=False,
        ),
        Method(name="dana", label="DANA", payment_type="dana", extras=lambda seed: {}),
        Method(
            name="credit_card",
            label="Kartu kredit/debit",
            payment_type="credit_card",
            extras=_card,
            least_idr=10_000,
            pays_by="capture",
        ),
    )
}
# What a merchant writes in `enabled_payments` for the same thing.
_ALIASES = {"other_qris": "qris", "bank_transfer": "bca_va", "cstore": "indomaret", "shopeepay": "qris"}


def find(name: str) -> Method:
    """The method of this name. Raises KeyError."""
    return METHODS[_ALIASES.get(name, name)]


def offered(enabled: Sequence[str], amount_idr: int) -> list[Method]:
    """What the page offers: the enabled ones (all when none is named) whose bounds the amount keeps."""
    known = (_ALIASES.get(name, name) for name in enabled)
    names = [name for name in dict.fromkeys(known) if name in METHODS] or list(METHODS)
    return [
        method
        for method in (METHODS[name] for name in names)
        if method.least_idr <= amount_idr and (method.most_idr is None or amount_idr <= method.most_idr)
    ]
