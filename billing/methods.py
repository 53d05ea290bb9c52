"""How a customer pays: which ways there are, and which of them a message chooses. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from billing.spoken import CALLS, PARTICLES, asks, spoken, without, word_set

MIDTRANS = "midtrans"
TRANSFER = "transfer"

_ONLINE = word_set(
    "midtrans qris qr link tautan online va virtual akun account gopay ovo dana shopeepay "
    "spay linkaja kartu kredit debit card ewallet dompet digital wallet otomatis langsung "
    "scan"
)
_BANK = word_set("transfer tf trf tranfer transfr rekening rek bank norek manual atm mbanking")
_BESIDE = word_set(
    "pakai pake pk lewat via bayar bayarnya mau yang yg nomor no saya aku sy gue bisa pilih "
    "pilihan dengan by ke metode pembayaran m"
)


def chosen(text: str, methods: Sequence[str], banks: Sequence[str] = ()) -> str | None:
    """The one of ``methods`` that the whole message chooses, by number or name; None for anything else."""
    if asks(text):
        return None
    words = set(without(spoken(text), CALLS, PARTICLES, _BESIDE))
    if len(words) == 1 and (number := next(iter(words))).isdigit():
        # Compared as they are written: "0012" is no 1, and some digits are no numbers to Python.
        numbered = {str(place): method for place, method in enumerate(methods, start=1)}
        return numbered.get(number.lstrip("0"))
    named = frozenset(word for bank in banks for word in spoken(bank))
    # "bank" and "bca" go with a transfer; "va bca" is the link's, for it has virtual accounts.
    if (
        words & _ONLINE
        and words <= _ONLINE | named | _BANK
        and not words & {"transfer", "tf", "trf", "rekening"}
    ):
        found = MIDTRANS
    elif words and words <= _BANK | named:
        found = TRANSFER
    else:
        return None
    return found if found in methods else None
