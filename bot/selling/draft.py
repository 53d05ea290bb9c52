"""A confirmed order on its way to a payment: what is known of it, and what must be known next. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from billing.catalogue import CatalogueItem
from billing.needs import Need, is_delivery, is_pickup, missing, needs_of
from billing.shipping import Rate, rate_for
from store.orders import Line, LineKind, Method, Order, total_of

SHIPPING_CODE = "SHIPPING"


class Step(Enum):
    """What comes next for an order."""

    DETAIL = auto()  # something of `perlu` is to be asked
    SHIPPING = auto()  # no rate fits the address: a person says what sending costs
    METHOD = auto()  # several ways to pay: which one?
    NO_METHOD = auto()  # no way to pay is set up: a person takes over
    TRANSFER = auto()  # he gets the account numbers
    LINK = auto()  # Midtrans makes his link


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """Everything that decides what comes next."""

    lines: tuple[Line, ...]
    details: Mapping[str, str]
    method: Method | None
    needs: tuple[Need, ...]

    @property
    def total_idr(self) -> int:
        return total_of(self.lines)

    @property
    def items(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.kind is LineKind.ITEM)

    @property
    def shipping(self) -> Line | None:
        return next((line for line in self.lines if line.kind is LineKind.SHIPPING), None)

    @property
    def missing(self) -> list[Need]:
        return missing(self.needs, self.details)

    @property
    def address(self) -> str | None:
        """Where goods are to be sent; None when nothing is sent, or nobody said where."""
        told = next((self.details.get(need.label) for need in self.needs if is_delivery(need)), None)
        return told if told and not is_pickup(told) else None


def draft_of(order: Order, lines: Sequence[Line], items: Sequence[CatalogueItem]) -> Draft:
    """The order as it stands, and what the list asks about its items now."""
    return Draft(
        lines=tuple(lines), details=order.details, method=order.method, needs=needs_for(lines, items)
    )


def needs_for(lines: Sequence[Line], items: Sequence[CatalogueItem]) -> tuple[Need, ...]:
    """What the list asks about these lines; nothing about a row that is gone."""
    codes = {line.code for line in lines if line.kind is LineKind.ITEM}
    return tuple(needs_of(item for item in items if item.code in codes))


def advanced(
    draft: Draft, *, rates: Sequence[Rate], methods: Sequence[Method], shipping_name: str
) -> tuple[Step, Draft]:
    """What comes next, and the draft with everything that could be settled without asking anybody."""
    if draft.missing:
        return Step.DETAIL, draft
    if draft.address is not None and draft.shipping is None:
        rate = rate_for(draft.address, rates)
        if rate is None:
            return Step.SHIPPING, draft
        draft = with_shipping(
            draft, rate.for_basket(total_of(draft.items)), name=f"{shipping_name} {rate.area}"
        )
    if draft.method is None:
        if not methods:
            return Step.NO_METHOD, draft
        if len(methods) > 1:
            return Step.METHOD, draft
        draft = replace(draft, method=methods[0])
    return (Step.LINK if draft.method is Method.MIDTRANS else Step.TRANSFER), draft


def with_shipping(draft: Draft, cost_idr: int, *, name: str) -> Draft:
    """The draft with what sending costs, free of charge included."""
    line = Line(kind=LineKind.SHIPPING, code=SHIPPING_CODE, name=name[:50], quantity=1, unit_idr=cost_idr)
    return replace(draft, lines=(*draft.lines, line))
