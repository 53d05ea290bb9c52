"""Midtrans on loopback: Snap and Core API, signed notifications, and a page where one pays with a click.

`server` holds ``MidtransServer``, what tests, demo and benchmarks use. Pure: `methods` (ways to pay and what
each adds to a report), `transaction` (one payable thing and its states), `wire` (checks of requests, bodies
of answers, the signature), `qris`. `desk` knows every payment, `api` serves it; `courier` brings notices
and tries again by Midtrans's rules; `faults` are its misbehaviour on command; `page` is Snap's page.
"""

from sandbox.faults import Mode
from sandbox.midtrans.faults import Target
from sandbox.midtrans.server import MidtransServer

__all__ = ["MidtransServer", "Mode", "Target"]
