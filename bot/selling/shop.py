"""Builds the selling parts of one shop; its settings and its profile say which ways to pay there are."""

from __future__ import annotations

from dataclasses import dataclass

from billing.live import LiveGoods
from billing.till import Till
from bot.people import People
from bot.selling.aftersales import Aftersales
from bot.selling.cashier import Cashier
from bot.selling.desk import OrderDesk
from bot.selling.ordering import Ordering
from bot.selling.particulars import Particulars
from bot.selling.sayings import Sayings
from bot.selling.seller import Seller
from config.settings import Settings
from config.shop import Shop
from config.wording import Wording
from store.doors import Store
from store.orders import Method


@dataclass(frozen=True, kw_only=True, slots=True)
class Selling:
    """The customer's side and the owner's."""

    seller: Seller
    desk: OrderDesk


def sell(
    settings: Settings, shop: Shop, wording: Wording, store: Store, people: People, *, transport: str
) -> Selling:
    """Everything that sells, for the chats of one channel."""
    till = Till.of(settings, shop, wording)
    sayings = Sayings(wording=wording, shop=shop)
    methods = _methods(settings, shop)
    cashier = _cashier(store, till) if Method.MIDTRANS in methods else None
    goods = LiveGoods(data_dir=settings.data_dir)
    ordering = Ordering(
        account=settings.account,
        transport=transport,
        store=store,
        sayings=sayings,
        methods=methods,
        cashier=cashier,
        post=till.post,
        expires_in_ms=settings.billing.expiry_min * 60_000,
    )
    aftersales = Aftersales(goods=goods, sayings=sayings, ordering=ordering, cashier=cashier, post=till.post)
    return Selling(
        seller=Seller(
            account=settings.account,
            goods=goods,
            sayings=sayings,
            ordering=ordering,
            aftersales=aftersales,
            particulars=Particulars(goods=goods, sayings=sayings, ordering=ordering, aftersales=aftersales),
        ),
        desk=OrderDesk(account=settings.account, people=people, sayings=sayings, methods=methods, till=till),
    )


def _methods(settings: Settings, shop: Shop) -> tuple[Method, ...]:
    link = (Method.MIDTRANS,) if settings.billing.server_key is not None else ()
    return (*link, Method.TRANSFER) if shop.rekening else link


def _cashier(store: Store, till: Till) -> Cashier:
    # Its library takes its time to import, and a shop without a key never needs it.
    from billing.checkout import Checkout
    from billing.midtrans import Midtrans
    from billing.outage import Outage
    from billing.payments import Payments
    from bot.selling.midtrans import MidtransCashier

    midtrans = Midtrans(till.settings)
    outage = Outage(store=store, till=till)
    payments = Payments(store=store, midtrans=midtrans, till=till, outage=outage)
    return MidtransCashier(store=store, checkout=Checkout(store=store, midtrans=midtrans, payments=payments))
