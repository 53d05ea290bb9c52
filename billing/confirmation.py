"""Whether a message says yes or no to what was just read back, decided by code and never by the model. Pure.

The *whole* message must be made of such words: "jadi kak" is a yes, "jadi berapa" and "ya tapi ..." are not.
"""

from __future__ import annotations

from enum import Enum, auto

from billing.spoken import CALLS, PARTICLES, asks, spoken, without, word_set


class Meaning(Enum):
    """What a whole message says about a proposal."""

    FIRM_YES = auto()  # "jadi", "gas": it can only be about the order, whatever was said in between
    YES = auto()  # "ya", "ok", a thumb: a yes to what was said last
    NO = auto()  # "nggak jadi", "batal"


# A longer message says something else as well.
_MOST_WORDS = 7
_FIRM = word_set("jadi gas gaskeun gaskan gasken deal fix konfirmasi konfirm confirm bungkus checkout gaspol")
_PLAIN = word_set(
    "ya y iya iy yo yoi yes yap yup yups yep ok oke okey okay okeh k sip siap boleh bole "
    "betul benar bener bnr lanjut lanjutkan lanjutin setuju cocok pas ac acc mau oce nggih "
    "inggih enggih sae leres muhun sumuhun mangga cus cuss"
)
# They go along with a yes and add nothing: "oke jadi ya kak", "iya sudah benar", "boleh langsung diproses".
_BESIDE = word_set(
    "sudah udah udh sdh itu semua semuanya langsung diproses proses prosesin segera pesan "
    "pesen pesanan pesanannya order orderan beli dibeli ambil makasih terima kasih thanks "
    "nya saya aku sy gue gw mantap banget bgt proposal datanya nih"
)
_NEGATIONS = word_set("tidak tdk gak ga gk ngga nggak enggak engga ndak ora g no jangan jgn")
_NO = word_set("batal batalkan batalin cancel gajadi gakjadi gjadi nanti ntar tunda tar stop")
_CALLING_OFF = word_set("batal batalkan batalin cancel gajadi gakjadi gjadi stop")
_BESIDE_NO = word_set(
    "dulu deh jadi jd pesan pesen beli order pesanan pesanannya maaf sori sorry makasih usah kapan nya lain"
)
_THUMBS = ("👍", "👌", "✅", "🆗", "☑", "✔")
_NAYS = ("👎", "❌")


def meaning(text: str) -> Meaning | None:
    """Yes, no, or None for everything that is more than that."""
    if asks(text):
        return None
    words = spoken(text)
    if not words:
        return _by_sign(text)
    if len(words) > _MOST_WORDS:
        return None
    # "ya" may be the answer or a particle; alone it is the answer.
    told = without(words, CALLS, PARTICLES - _PLAIN)
    if not told:
        return None
    known = set(told)
    if known & (_NO | _NEGATIONS):
        rest = known - _NO - _NEGATIONS - _BESIDE_NO - _PLAIN
        return Meaning.NO if not rest else None
    if known - _FIRM - _PLAIN - _BESIDE:
        return None
    if known & _FIRM:
        return Meaning.FIRM_YES
    return Meaning.YES if known & _PLAIN else None


def calls_off(text: str) -> bool:
    """Whether a no means the whole order, and not just what was asked: "batal", "nggak jadi"; not "nanti"."""
    words = set(spoken(text))
    return meaning(text) is Meaning.NO and bool(
        words & _CALLING_OFF or (words & _NEGATIONS and "jadi" in words)
    )


def _by_sign(text: str) -> Meaning | None:
    """A message of emoji alone."""
    if any(sign in text for sign in _NAYS):
        return Meaning.NO
    return Meaning.YES if any(sign in text for sign in _THUMBS) else None
