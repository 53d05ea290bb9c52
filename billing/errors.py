"""Errors of payments: what Midtrans and its client library raise, translated once.

BillingError
├── MidtransUnavailable     retry later: not reached, too slow, 429, 5xx, or its answer is no JSON
│   └── MidtransUncertain   the request may have been carried out: ask before doing it again
├── MidtransRefused         give up: it understood and said no (a used order id, an amount it does not take)
├── MidtransMisconfigured   a person must act: no server key, or one that Midtrans does not know
├── MalformedReport         give up: what came is no report of a transaction
└── NotPayable              give up: this order cannot be paid (any more), or not this way
"""

from __future__ import annotations


class BillingError(Exception):
    """Something is wrong with a payment; the subclass says what the caller should do."""


class MidtransUnavailable(BillingError):
    """Midtrans cannot answer now; the same question may be asked again later."""


class MidtransUncertain(MidtransUnavailable):
    """Nobody knows whether Midtrans did it: it was sent, and no answer came."""


class MidtransRefused(BillingError):
    """Midtrans said no, and would say so again."""


class MidtransMisconfigured(BillingError):
    """Midtrans does not know our key, or there is none; the text says what to do."""


class MalformedReport(BillingError):
    """What came does not have the fields of a transaction's report."""


class NotPayable(BillingError):
    """The order cannot be paid now: it is over, paid already, or this way is switched off."""
