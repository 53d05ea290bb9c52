"""The menu: what is for sale as a numbered list, and what a customer chooses from it. Pure.

A long catalogue is shown by groups first, the first word of the names; what stands alone is under "Lainnya".
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from billing.catalogue import CatalogueItem
from billing.rupiah import format_rupiah
from billing.spoken import CALLS, PARTICLES, asks, spoken, without, word_set

# More lines than this are no list that anybody reads in a chat.
MOST_LINES = 12
# So many of a group are shown; the others are asked for by name.
MOST_IN_GROUP = 20
_LEAST_IN_GROUP = 2
OTHERS = "Lainnya"
GROUP_MARK = "#"


@dataclass(frozen=True, kw_only=True, slots=True)
class Pick:
    """So many of one item."""

    code: str
    quantity: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Menu:
    """``text`` is the numbered list; ``entries`` what its numbers stand for: a code, or ``#`` and a group."""

    text: str
    entries: tuple[str, ...]
    left_out: int = 0


def on_sale(items: Iterable[CatalogueItem]) -> list[CatalogueItem]:
    """What can be bought now, in the order of the price list."""
    return [item for item in items if item.active and not item.sold_out]


def menu_of(items: Sequence[CatalogueItem]) -> Menu:
    """Everything that can be bought now: the items themselves, or their groups when they are many."""
    sold = on_sale(items)
    if len(sold) <= MOST_LINES:
        return _of_items(sold)
    groups = _groups(sold)
    lines = [f"{number}. {name} ({len(found)})" for number, (name, found) in enumerate(groups.items(), 1)]
    return Menu(text="\n".join(lines), entries=tuple(_mark(name) for name in groups))


def group_menu(items: Sequence[CatalogueItem], entry: str) -> Menu | None:
    """The items of one group of ``menu_of``; None when there is no such group any more."""
    for name, found in _groups(on_sale(items)).items():
        if _mark(name) == entry:
            return _of_items(found)
    return None


def choose(text: str, items: Sequence[CatalogueItem], entries: Sequence[str] = ()) -> list[Pick] | str | None:
    """What the whole message chooses: items, or one group's entry; None when it is (also) something else.

    A bare number counts only with the ``entries`` of a menu that was just shown; names and codes always.
    The quantity is what was written, sensible or not.
    """
    if asks(text):
        return None
    active = [item for item in items if item.active]
    picks: list[Pick] = []
    for segment in _segments(text):
        chosen = _of_segment(segment, active, entries)
        if chosen is None:
            return None
        if isinstance(chosen, str):
            return chosen if len(_segments(text)) == 1 else None
        picks.append(chosen)
    return picks or None


def bare_order(text: str) -> int | None:
    """How many in "pesan 2 ya", "mau 3 lembar", "ok beli": an order of whatever was just spoken of.

    None when there is more in it; a bare number orders nothing.
    """
    if asks(text):
        return None
    quantity, rest = _quantity(text.casefold())
    words = without(spoken(rest), CALLS, PARTICLES, _ASSENTING)
    numbers = [word for word in words if _amount(word) is not None]
    if quantity is None and len(numbers) == 1:
        words.remove(numbers[0])
        quantity, numbers = _amount(numbers[0]), []
    wants = not _BUYING.isdisjoint(words) or ("mau" in words and quantity is not None)
    if numbers or not wants or not set(words) <= _BUYING | _CHOOSING:
        return None
    return 1 if quantity is None else quantity


def names_quantity(text: str) -> bool:
    """Whether it says how many."""
    quantity, rest = _quantity(text.casefold())
    return not asks(text) and (quantity is not None or any(_amount(word) for word in spoken(rest)[-2:]))


def wants_to_buy(text: str) -> bool:
    """Whether a word in it says that something is to be bought, and none asks."""
    return not asks(text) and not _BUYING.isdisjoint(spoken(text))


def new_quantity(text: str) -> int | None:
    """The number in "jadi 2 aja", "ganti 5 pcs", "cukup dua": how many of what was just read back instead."""
    if asks(text):
        return None
    quantity, rest = _quantity(text.casefold())
    words = without(spoken(rest), CALLS, PARTICLES)
    if quantity is None and (numbers := [word for word in words if _amount(word) is not None]):
        words.remove(numbers[0])
        quantity = _amount(numbers[0])
    return quantity if set(words) <= _CHANGING else None


def _of_items(items: Sequence[CatalogueItem]) -> Menu:
    shown = items[:MOST_IN_GROUP]
    lines = [f"{number}. {_line(item)}" for number, item in enumerate(shown, 1)]
    return Menu(
        text="\n".join(lines),
        entries=tuple(item.code for item in shown),
        left_out=len(items) - len(shown),
    )


def _line(item: CatalogueItem) -> str:
    per_unit = f"/{item.unit}" if item.unit else ""
    left = f" (sisa {item.stock})" if item.stock is not None and item.stock <= 3 else ""
    return f"{item.name}: {format_rupiah(item.price_idr)}{per_unit}{left}"


def _groups(items: Sequence[CatalogueItem]) -> dict[str, list[CatalogueItem]]:
    by_word: dict[str, list[CatalogueItem]] = defaultdict(list)
    for item in items:
        by_word[item.name.split()[0].title()].append(item)
    # The largest ones first when there are more than fit; what is left joins the others.
    kept = [word for word, found in by_word.items() if len(found) >= _LEAST_IN_GROUP]
    if len(kept) >= MOST_LINES:
        kept = sorted(kept, key=lambda word: -len(by_word[word]))[: MOST_LINES - 1]
    groups = {word: found for word, found in by_word.items() if word in kept}
    rest = [item for word, found in by_word.items() if word not in kept for item in found]
    return groups | ({OTHERS: rest} if rest else {})


def _mark(group: str) -> str:
    return GROUP_MARK + "".join(group.casefold().split())


_BUYING = word_set("pesan pesen order orderin beli ambil checkout co bungkus pesankan belikan tambah masukin")
_CHOOSING = word_set(
    "yang yg nomor no nomer nmr pilih pilihan pilihannya mau pengen pingin minta saya aku sy "
    "gue itu ini paket paketnya barang produk daftar langganan pasang untuk buat sebanyak "
    "jumlah qty jadi isi harga"
)
_ASSENTING = word_set("ok oke okey iya baik sip siap yaudah yauda boleh kalau gitu begitu langsung")
_CHANGING = word_set(
    "jadi jd jadinya jadiin ganti ubah cukup ambil mau pesan pesen kurangi tambah tambahin "
    "kurangin dulu jumlah jumlahnya qty"
)
_UNITS = (
    "pcs|pc|biji|bj|buah|bh|unit|lembar|lbr|set|roll|rol|dus|box|pak|pack|bungkus|bks|botol|porsi|bulan|bln"
    "|titik|kali"
)
_NUMBER_WORDS = {
    "satu": 1,
    "dua": 2,
    "tiga": 3,
    "empat": 4,
    "lima": 5,
    "enam": 6,
    "tujuh": 7,
    "delapan": 8,
    "sembilan": 9,
    "sepuluh": 10,
    "sebelas": 11,
    "selusin": 12,
    "lusin": 12,
    "seribu": 1000,
    "sepasang": 2,
    "sebuah": 1,
    "selembar": 1,
}
_QUANTITIES = (
    re.compile(r"(?<![^\s,])x(\d+)\b"),  # x3
    re.compile(r"\b(\d+)x(?![^\s,.!])"),  # 3x
    re.compile(r"\bx\s(\d+)\b"),  # nomor 2 x 3
    re.compile(rf"\b(\d+)\s?(?:{_UNITS})\b"),  # 3 pcs
    re.compile(rf"\b({'|'.join(_NUMBER_WORDS)})\s(?:{_UNITS}|x)\b"),  # dua lembar
)
_BETWEEN = re.compile(r"[,;\n&+]|\b(?:dan|sama|plus|serta|dgn|dengan)\b")
_LONGEST_NUMBER = 6


def _segments(text: str) -> list[str]:
    """The parts of "1 dan 3, kabel 2x", each about one item."""
    return [part for part in _BETWEEN.split(text.casefold()) if spoken(part)]


def _of_segment(segment: str, items: Sequence[CatalogueItem], entries: Sequence[str]) -> Pick | str | None:
    whole = _named(_telling(segment), items)
    if whole is not None:
        # The name holds whatever looked like a quantity: "token listrik 100 ribu", "hotspot 30 hari".
        return Pick(code=whole.code, quantity=1)
    quantity, rest = _quantity(segment)
    words = _telling(rest)
    if (entry := _numbered(words, entries)) is not None:
        if entry.startswith(GROUP_MARK):
            return entry if quantity is None else None
        return Pick(code=entry, quantity=1 if quantity is None else quantity)
    group = GROUP_MARK + "".join(words)
    if quantity is None and group in entries:
        return group
    if (item := _named(words, items)) is not None:
        return Pick(code=item.code, quantity=1 if quantity is None else quantity)
    # "ih20 2" and "2 ih20": a number at either end is how many, when the rest names one thing.
    for number, others in ((words[-1:], words[:-1]), (words[:1], words[1:])):
        amount = _amount(number[0]) if number and quantity is None else None
        if amount is not None and (item := _named(others, items)) is not None:
            return Pick(code=item.code, quantity=amount)
    return None


def _telling(segment: str) -> list[str]:
    return without(spoken(segment), CALLS, PARTICLES, _CHOOSING, _BUYING)


def _quantity(segment: str) -> tuple[int | None, str]:
    for pattern in _QUANTITIES:
        if found := pattern.search(segment):
            amount = _amount(found[1])
            if amount is not None:
                return amount, f"{segment[: found.start()]} {segment[found.end() :]}"
    return None, segment


def _amount(word: str) -> int | None:
    if word in _NUMBER_WORDS:
        return _NUMBER_WORDS[word]
    return int(word) if word.isascii() and word.isdigit() and len(word) <= _LONGEST_NUMBER else None


def _numbered(words: Sequence[str], entries: Sequence[str]) -> str | None:
    if len(words) != 1 or (number := _amount(words[0])) is None:
        return None
    return entries[number - 1] if 1 <= number <= len(entries) else None


def _named(words: Sequence[str], items: Sequence[CatalogueItem]) -> CatalogueItem | None:
    """The one item that the words name: its code, or words that all stand in its name and in no other's."""
    if not words or all(word.isdigit() for word in words):
        return None
    by_code = [item for item in items if spoken(item.code) == list(words)]
    if by_code:
        return by_code[0]
    wanted = set(words)
    named = [item for item in items if wanted <= set(spoken(item.name))]
    exact = [item for item in named if wanted == set(spoken(item.name))]
    found = exact or named
    return found[0] if len(found) == 1 else None
