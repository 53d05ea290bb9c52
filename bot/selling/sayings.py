"""What the bot says while it sells: amounts and names come from the order, sentences from the wording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from billing.menu import Menu
from billing.needs import Kind, Need, is_delivery
from billing.proposal import Basket, Problem, Refusal, listed
from billing.rupiah import format_rupiah
from bot.selling.draft import Draft
from config.hours import describe_moment
from config.shop import Shop
from config.wording import Wording
from store.orders import Line, LineKind, Order


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """How a customer pays through Midtrans: an address, and until when (ms since the epoch).

    ``qris`` is the text of the code that he scans instead; the address is then that of its picture.
    """

    url: str
    expires_ms: int
    qris: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sayings:
    """Makes the sentences. ``other_number`` is one that the invoice comes from as well; empty without one."""

    wording: Wording
    shop: Shop

    def menu(self, menu: Menu, *, groups: bool) -> str:
        """The numbered list with what to do with it."""
        text = self.wording.say("jual_menu_kelompok" if groups else "jual_menu", daftar=menu.text)
        if menu.left_out:
            text += "\n" + self.wording.say("jual_menu_sisa", sisa=menu.left_out)
        return text

    def read_back(self, basket: Basket, *, sent: bool, lead: str = "") -> str:
        """What would be ordered and what it costs, and whether that is right."""
        name = "jual_tawar" if len(basket.lines) == 1 else "jual_tawar_banyak"
        note = f" ({self.wording.say('jual_belum_ongkir')})" if sent else ""
        total = format_rupiah(basket.total_idr)
        text = self.wording.say(name, isi=listed(basket.lines), total=total, catatan=note)
        return f"{self.wording.say(lead)}\n{text}" if lead else text

    def refused(self, refusal: Refusal) -> str:
        """Why that cannot be ordered; a menu may follow an unknown thing."""
        say = self.wording.say
        match refusal.problem:
            case Problem.UNKNOWN:
                return say("jual_tidak_ada")
            case Problem.SOLD_OUT:
                return say("jual_habis", barang=refusal.name)
            case Problem.SHORT:
                return say("jual_kurang", barang=refusal.name, sisa=refusal.left)
            case Problem.QUANTITY:
                return say("jual_jumlah", barang=refusal.name)
            case Problem.TOO_MUCH:
                return say("jual_terlalu_besar")

    def noted(self, order_id: str, lines: Sequence[Line]) -> str:
        """The order is written down."""
        return self.wording.say("jual_dicatat", isi=brief(lines), pesanan=order_id)

    def question(self, need: Need) -> str:
        """One thing of `perlu`, asked in a way that says what would be an answer."""
        if is_delivery(need):
            return self.wording.say("jual_tanya_alamat", perlu=need.label)
        if need.kind in (Kind.PICTURE, Kind.PLACE):
            return self.wording.say("jual_tanya_kirim", perlu=need.label)
        return self.wording.say("jual_tanya_opsional" if need.optional else "jual_tanya", perlu=need.label)

    def methods(self, draft: Draft) -> str:
        """The two ways to pay."""
        banks = ", ".join(dict.fromkeys(account.bank for account in self.shop.rekening))
        return self.wording.say(
            "jual_metode", rincian=detailed(draft.lines), total=format_rupiah(draft.total_idr), bank=banks
        )

    def link(self, lines: Sequence[Line], total_idr: int, link: Link, *, other_number: str) -> str:
        """Where to pay, and until when."""
        text = self.wording.say(
            "jual_qris" if link.qris else "jual_link",
            rincian=detailed(lines),
            total=format_rupiah(total_idr),
            tautan=link.url,
            batas=self.until(link.expires_ms),
        )
        return self._with_other_number(text, other_number)

    def transfer(self, lines: Sequence[Line], total_idr: int, *, other_number: str) -> str:
        """The shop's accounts, and what to do afterwards."""
        accounts = "\n".join(f"{a.bank} *{a.nomor}* a.n. {a.atas_nama}" for a in self.shop.rekening)
        text = self.wording.say(
            "jual_transfer", rincian=detailed(lines), total=format_rupiah(total_idr), rekening=accounts
        )
        return self._with_other_number(text, other_number)

    def shipping_told(self, lines: Sequence[Line], total_idr: int, cost_idr: int) -> str:
        """An admin said what sending costs."""
        return self.wording.say(
            "jual_ongkir_kabar",
            ongkir=format_rupiah(cost_idr) if cost_idr else "gratis",
            rincian=detailed(lines),
            total=format_rupiah(total_idr),
        )

    def standing(self, order: Order, *, invoice: str = "") -> str:
        """How the order stands, in a sentence."""
        values = {"batas": self.until(order.expires_ms), "invoice": invoice or "menyusul"}
        return self.wording.say(f"status_{order.state.value}", **values)

    def status_line(self, order: Order, lines: Sequence[Line], *, invoice: str = "") -> str:
        """One order of "status pesanan"."""
        return self.wording.say(
            "jual_status",
            pesanan=order.id,
            isi=brief(lines),
            total=format_rupiah(order.total_idr),
            status=self.standing(order, invoice=invoice),
        )

    def _with_other_number(self, text: str, number: str) -> str:
        """An invoice from a stranger looks like fraud, so the stranger is named before it comes."""
        return f"{text}\n{self.wording.say('invoice_nomor_lain', nomor=number)}" if number else text

    def until(self, moment_ms: int) -> str:
        """ "besok 14.02 WIB"."""
        moment = datetime.fromtimestamp(moment_ms / 1000, UTC)
        return describe_moment(moment, at=datetime.now(UTC), zone=self.shop.zona_waktu)

    def with_hours(self, sentence: str, **values: object) -> str:
        """A sentence about a person: outside opening hours its ``_tutup`` form says when one is back."""
        now = datetime.now(UTC)
        if self.shop.is_open(now):
            return self.wording.say(sentence, **values)
        return self.wording.say(f"{sentence}_tutup", buka=self.shop.describe_next_opening(now), **values)


def brief(lines: Sequence[Line]) -> str:
    """The items on one line: "3x Paket 20 Mbps, 1x Kabel LAN"."""
    return ", ".join(f"{line.quantity}x {line.name}" for line in lines if line.kind is LineKind.ITEM)


def detailed(lines: Sequence[Line]) -> str:
    """Every line with what it comes to, shipping and discount included."""
    return "\n".join(f"• {_counted(line)}: {_amount(line)}" for line in lines)


def _counted(line: Line) -> str:
    return f"{line.quantity}x {line.name}" if line.kind is LineKind.ITEM else line.name


def _amount(line: Line) -> str:
    return (
        "gratis" if line.kind is LineKind.SHIPPING and not line.unit_idr else format_rupiah(line.amount_idr)
    )
