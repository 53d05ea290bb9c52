"""What sending costs: flat by area from ``data/ongkir.csv``; where no area fits, a person says it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from billing.rupiah import amounts_in, parse_rupiah
from billing.spoken import spoken
from billing.tables import Cell, read_table

FILE_NAME = "ongkir.csv"
COLUMNS = ("daerah", "ongkir", "gratis_mulai")
# More than any parcel costs; a larger figure is a slip of the keyboard.
MAX_SHIPPING_IDR = 10_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """One row: an area, what sending there costs, and from which basket on it costs nothing."""

    area: str
    cost_idr: int
    free_from_idr: int | None = None

    def for_basket(self, total_idr: int) -> int:
        """The shipping of a basket in rupiah."""
        free = self.free_from_idr is not None and total_idr >= self.free_from_idr
        return 0 if free else self.cost_idr


@dataclass(frozen=True, kw_only=True, slots=True)
class Rates:
    """Good rows, and one Indonesian sentence for each thing the owner should mend."""

    rates: tuple[Rate, ...] = ()
    problems: tuple[str, ...] = ()


def read_rates(data_dir: Path) -> Rates:
    """The rows of ``ongkir.csv``; none when there is no such file. A bad row is left out and named."""
    path = data_dir / FILE_NAME
    if not path.is_file():
        return Rates()
    table = read_table(path)
    problems = list(table.problems)
    if not table.rows:
        return Rates(problems=tuple(problems))
    header = [str(cell or "").strip().lower().replace(" ", "_") for cell in table.rows[0][1]]
    absent = [name for name in COLUMNS[:2] if name not in header]
    if absent:
        return Rates(problems=(*problems, f"Kolom {', '.join(absent)} tidak ada di {FILE_NAME}."))
    rates = []
    for number, cells in table.rows[1:]:
        row = {name: _at(cells, header.index(name)) for name in COLUMNS if name in header}
        try:
            rates.append(_rate(row))
        except ValueError as error:
            problems.append(f"{FILE_NAME} baris {number}: {error}.")
    return Rates(rates=tuple(rates), problems=tuple(problems))


def rate_for(address: str, rates: Sequence[Rate]) -> Rate | None:
    """The row whose area is named in the address, the longest name if several are; None when none is.

    A name's words must stand there side by side: "Klaten Utara" is not in "Klaten, Jogja Utara".
    """
    told = f" {' '.join(spoken(address))} "
    fitting = [rate for rate in rates if f" {' '.join(spoken(rate.area))} " in told]
    return max(fitting, key=lambda rate: len(rate.area), default=None)


def told_by_admin(text: str) -> int | None:
    """The rupiah in an admin's "ongkir 18rb"; 0 for "ongkir gratis"; None when it says no such thing."""
    found = _ADMIN.fullmatch(" ".join(text.casefold().split()))
    if found is None:
        return None
    told = found[1].strip(" .!")
    if told in _FREE:
        return 0
    if len(told) > _MOST_CHARS or len(_NUMBER.findall(told)) != 1 or _PER_WEIGHT.search(told):
        # Another figure, a calculation, a price by weight: which one is meant is his to say.
        return None
    amounts = amounts_in(told)
    if not amounts and _PLAIN.fullmatch(told):
        amounts = [int(told.replace(".", ""))]
    if len(amounts) != 1 or not 0 <= amounts[0] <= MAX_SHIPPING_IDR:
        return None
    # "ongkir 18" is 18 thousand nearly always, but a guess is no figure.
    return amounts[0] if amounts[0] == 0 or amounts[0] >= 500 else None


_ADMIN = re.compile(r"ongkir(?:nya)?\s*[:=]?\s*(\S.*)")
_MOST_CHARS = 80
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_PER_WEIGHT = re.compile(r"(?:\bper\b|/)\s?(?:kg|kilo|gr)")
_FREE = frozenset(("gratis", "0", "free", "bebas"))
_PLAIN = re.compile(r"\d{1,3}(?:\.\d{3})+|\d{3,8}")


def _rate(row: dict[str, Cell]) -> Rate:
    area = " ".join(str(row.get("daerah") or "").split())
    if not spoken(area):
        raise ValueError("kolom daerah kosong; tulis nama kecamatan, kota atau provinsinya")
    return Rate(
        area=area, cost_idr=_amount(row, "ongkir"), free_from_idr=_amount_or_none(row, "gratis_mulai")
    )


def _amount(row: dict[str, Cell], name: str) -> int:
    given = row.get(name)
    if given is None or given == "":
        raise ValueError(f"kolom {name} kosong; tulis angka saja, misalnya 10000 (0 kalau gratis)")
    try:
        amount = parse_rupiah(given)
    except ValueError as error:
        raise ValueError(f"kolom {name} '{given}' {error}") from error
    if name == "ongkir" and amount > MAX_SHIPPING_IDR:
        raise ValueError("kolom ongkir terlalu besar; periksa jumlah nolnya")
    return amount


def _amount_or_none(row: dict[str, Cell], name: str) -> int | None:
    return None if row.get(name) in (None, "") else _amount(row, name)


def _at(cells: Sequence[Cell], index: int) -> Cell:
    return cells[index] if index < len(cells) else None
