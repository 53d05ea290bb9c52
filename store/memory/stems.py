"""Word families of Indonesian: "pembayaran", "dibayar" and "bayarkan" share the stem "bayar"."""

from __future__ import annotations

from functools import lru_cache

# A prefix and the letters that it may have swallowed: "menulis" is "tulis", "membeli" is "beli".
_PREFIXES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("meng", ("", "k")),
    ("meny", ("s",)),
    ("mem", ("", "p")),
    ("men", ("", "t")),
    ("me", ("",)),
    ("peng", ("", "k")),
    ("peny", ("s",)),
    ("pem", ("", "p")),
    ("pen", ("", "t")),
    ("per", ("",)),
    ("pe", ("",)),
    ("ber", ("",)),
    ("ter", ("",)),
    ("di", ("",)),
    ("ke", ("",)),
    ("se", ("",)),
    # As people say it: "nyewa" is "sewa", "ngecek" is "cek", "nunggu" is "tunggu", "mesen" is "pesen".
    ("nge", ("",)),
    ("ng", ("", "k")),
    ("ny", ("s",)),
    ("n", ("t",)),
    ("m", ("p",)),
    ("", ("",)),
)
_SUFFIXES = ("kan", "an", "in", "i", "nya", "")
# Shorter pieces are shared by words that have nothing to do with each other.
_SHORTEST = 4


@lru_cache(maxsize=16_384)
def possible_stems(word: str) -> frozenset[str]:
    """The word itself and what remains after taking a prefix, a suffix or both off.

    Without a dictionary some of these are no words. That does no harm: two words are one family only when
    both can be taken apart to the same stem.
    """
    if not word.isalpha():
        return frozenset({word})
    return frozenset(
        {word}
        | {
            stem
            for prefix, swallowed in _PREFIXES
            if word.startswith(prefix)
            for suffix in _SUFFIXES
            if word.endswith(suffix)
            for letters in swallowed
            if len(stem := letters + word[len(prefix) : len(word) - len(suffix)]) >= _SHORTEST
        }
    )
