"""A proposal: what is to be bought, computed from the price list and read back before it counts. Pure.

Whoever chose (a menu's number, a name, the model) gave codes and quantities only; names and prices are the
list's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from billing.catalogue import CatalogueItem
from billing.menu import Pick
from billing.rupiah import format_rupiah

MAX_QUANTITY = 999
MAX_LINES = 20
# Midtrans takes no longer names.
MAX_NAME_CHARS = 50
# What one order may come to: beyond it somebody mistyped, or a person should talk with him.
MAX_TOTAL_IDR = 500_000_000


class Problem(Enum):
    """Why a choice cannot be proposed."""

    UNKNOWN = auto()  # no such code in the list: a model made it up, or it was taken out
    SOLD_OUT = auto()  # nothing left
    SHORT = auto()  # fewer left than wanted
    QUANTITY = auto()  # none, or more than an order takes
    TOO_MUCH = auto()  # too many lines, or too much money for a chat


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """What is wrong, with which item, and how many there are when that is the point."""

    problem: Problem
    code: str = ""
    name: str = ""
    left: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class BasketLine:
    """So many of one item at its price."""

    code: str
    name: str
    quantity: int
    unit_idr: int
    unit: str = ""
    after_payment: str = ""

    @property
    def amount_idr(self) -> int:
        return self.quantity * self.unit_idr


@dataclass(frozen=True, kw_only=True, slots=True)
class Basket:
    """What may be proposed."""

    lines: tuple[BasketLine, ...]

    @property
    def total_idr(self) -> int:
        return sum(line.amount_idr for line in self.lines)

    @property
    def picks(self) -> list[Pick]:
        return [Pick(code=line.code, quantity=line.quantity) for line in self.lines]


def basket(picks: Iterable[Pick], items: Sequence[CatalogueItem]) -> Basket | Refusal:
    """The lines at the list's prices, or the first thing that stands against them."""
    by_code = {item.code: item for item in items}
    wanted: dict[str, int] = {}
    for pick in picks:
        code = pick.code.strip().upper()
        wanted[code] = wanted.get(code, 0) + pick.quantity
    lines: list[BasketLine] = []
    for code, quantity in wanted.items():
        item = by_code.get(code)
        if item is None or not item.active:
            return Refusal(problem=Problem.UNKNOWN)
        if (refusal := _refusal(item, quantity)) is not None:
            return refusal
        lines.append(
            BasketLine(
                code=item.code,
                name=item.name[:MAX_NAME_CHARS],
                quantity=quantity,
                unit_idr=item.price_idr,
                unit=item.unit,
                after_payment=item.after_payment,
            )
        )
    found = Basket(lines=tuple(lines))
    if not lines:
        return Refusal(problem=Problem.UNKNOWN)
    if len(lines) > MAX_LINES or found.total_idr > MAX_TOTAL_IDR:
        return Refusal(problem=Problem.TOO_MUCH)
    return found


def _refusal(item: CatalogueItem, quantity: int) -> Refusal | None:
    if item.sold_out:
        return Refusal(problem=Problem.SOLD_OUT, code=item.code, name=item.name)
    if not 1 <= quantity <= MAX_QUANTITY:
        return Refusal(problem=Problem.QUANTITY, code=item.code, name=item.name)
    if item.stock is not None and quantity > item.stock:
        return Refusal(problem=Problem.SHORT, code=item.code, name=item.name, left=item.stock)
    return None


def listed(lines: Sequence[BasketLine]) -> str:
    """ "3x Paket 20 Mbps"; several lines one below the other with what each comes to."""
    if len(lines) == 1:
        return f"{lines[0].quantity}x {lines[0].name}"
    return "\n".join(f"• {line.quantity}x {line.name}: {format_rupiah(line.amount_idr)}" for line in lines)
