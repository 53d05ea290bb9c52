"""The settings of payments and invoices: Midtrans, Starsender, and what an invoice says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from config import environment as env
from config.environment import keyed as _key
from config.secret import Secret

# What only keys for trying out begin with. Those for real money do not, and neither do the sandbox's newer
# ones: without it nothing but Midtrans's answer tells them apart.
_SANDBOX = "SB-"
# The other key of the dashboard's same page, which is no secret and pays nothing.
_CLIENT = "mid-client-"


@dataclass(frozen=True, kw_only=True)
class BillingSettings:
    """How customers pay and get their invoices. Without a server key there are bank transfers only."""

    server_key: Secret | None = field(
        default=None, metadata=_key("MIDTRANS_SERVER_KEY", env.optional(env.secret))
    )
    # Goes to a customer's browser, so it is no secret.
    client_key: str | None = field(default=None, metadata=_key("MIDTRANS_CLIENT_KEY", env.optional(env.text)))
    # None means that a notification's merchant is not compared.
    merchant_id: str | None = field(
        default=None, metadata=_key("MIDTRANS_MERCHANT_ID", env.optional(env.text))
    )
    production: bool = field(default=False, metadata=_key("MIDTRANS_PRODUCTION", env.yes_or_no))
    # None means Midtrans's own addresses.
    snap_url: str | None = field(default=None, metadata=_key("MIDTRANS_SNAP_URL", env.optional(env.http_url)))
    api_url: str | None = field(default=None, metadata=_key("MIDTRANS_API_URL", env.optional(env.http_url)))
    # Midtrans keeps a page for at most seven days.
    expiry_min: int = field(
        default=1440, metadata=_key("PAYMENT_EXPIRY_MIN", env.whole(at_least=5, at_most=10_080))
    )
    # So long before the end a customer who has not paid is reminded; 0 reminds nobody.
    reminder_min: int = field(
        default=120, metadata=_key("PAYMENT_REMINDER_MIN", env.whole(at_least=0, at_most=10_080))
    )
    # A QRIS picture in the chat where the amount allows it, instead of a link.
    qris: bool = field(default=False, metadata=_key("PAYMENT_QRIS", env.yes_or_no))
    # Where the world reaches the payment process; None: Midtrans is asked, and the bot sends the documents.
    public_url: str | None = field(default=None, metadata=_key("PUBLIC_URL", env.optional(env.http_url)))
    starsender_key: Secret | None = field(
        default=None, metadata=_key("STARSENDER_KEY", env.optional(env.secret))
    )
    starsender_url: str = field(
        default="https://api.starsender.online/api", metadata=_key("STARSENDER_URL", env.http_url)
    )
    # The number that Starsender's device writes from; customers are told of it when it is not the shop's own.
    starsender_number: str | None = field(
        default=None, metadata=_key("STARSENDER_NUMBER", env.optional(env.phone))
    )
    # An invoice that Starsender has not taken after so long is sent by the bot.
    starsender_patience_s: int = field(
        default=300, metadata=_key("STARSENDER_PATIENCE_S", env.whole(at_least=0, at_most=86_400))
    )
    invoice_link_days: int = field(
        default=30, metadata=_key("INVOICE_LINK_DAYS", env.whole(at_least=1, at_most=3650))
    )
    # Only a PKP may charge PPN; all others must not write it on an invoice.
    ppn: bool = field(default=False, metadata=_key("INVOICE_PPN", env.yes_or_no))
    npwp: str | None = field(default=None, metadata=_key("INVOICE_NPWP", env.optional(env.text)))

    @property
    def polls_fast(self) -> bool:
        """Midtrans cannot reach us, so that we must ask it."""
        return self.public_url is None

    @property
    def link_valid_ms(self) -> int:
        """How long an invoice's address works."""
        return self.invoice_link_days * 24 * 60 * 60 * 1000


def problems_of(values: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with values that are each right alone; the values are BillingSettings's arguments."""
    key, production = values.get("server_key"), values.get("production", False)
    if key is not None and _CLIENT in key.reveal().lower():
        yield "MIDTRANS_SERVER_KEY holds a client key (...Mid-client-...): write the server key beside it."
    elif key is not None and key.reveal().startswith(_SANDBOX) and production:
        yield (
            "MIDTRANS_SERVER_KEY is one for trying out (SB-...), but MIDTRANS_PRODUCTION=true: "
            "write the production key, or MIDTRANS_PRODUCTION=false."
        )
    if values.get("ppn") and not values.get("npwp"):
        yield "INVOICE_PPN=true needs INVOICE_NPWP: only a PKP charges PPN, and its invoices show the number."


def advice_on(billing: BillingSettings) -> list[str]:
    """What the owner should mend, though payments work."""
    addresses = {
        "MIDTRANS_SNAP_URL": billing.snap_url,
        "MIDTRANS_API_URL": billing.api_url,
        "STARSENDER_URL": billing.starsender_url,
        "PUBLIC_URL": billing.public_url,
    }
    return [
        f"{name} is plain http, so keys, names and amounts travel readable: use https."
        for name, url in addresses.items()
        if url is not None and env.is_unprotected(url)
    ]
