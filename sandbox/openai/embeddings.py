"""Deterministic vectors by feature hashing of words and letter n-grams. They are **not semantic**.

Texts that share words or parts of words come out near each other and nothing else does: "ongkir" is near
"ongkirnya" and far from "biaya kirim". That is enough to exercise storing, searching and fusing vectors
without a model, and too little to judge retrieval quality by. Every response that carries such vectors
says so.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter, OrderedDict

import numpy as np
import numpy.typing as npt

from sandbox.openai.words import tokens, weight

LABEL = "not semantic: deterministic feature hashing of words and letter n-grams"
_NGRAM_LENGTHS = (3, 4)
_NGRAM_SHARE = 0.35

Vector = npt.NDArray[np.float32]


def embed(text: str, dimensions: int) -> Vector:
    """A float32 vector of length 1; the same text and dimensions always give the same one."""
    features: Counter[str] = Counter()
    shares: dict[str, float] = {}
    for word in tokens(text):
        own = 0.15 + 0.85 * weight(word)
        features[word] += 1
        shares[word] = own
        padded = f"^{word}$"
        for length in _NGRAM_LENGTHS:
            for start in range(len(padded) - length + 1):
                gram = f"#{padded[start : start + length]}"
                features[gram] += 1
                shares[gram] = max(shares.get(gram, 0.0), own * _NGRAM_SHARE)
    if not features:
        # Emoji or punctuation alone still need a vector of length 1.
        features[f"={text}"], shares[f"={text}"] = 1, 1.0
    hashes = np.fromiter((zlib.crc32(f.encode()) for f in features), dtype=np.int64, count=len(features))
    amounts = np.sqrt(np.fromiter(features.values(), dtype=np.float64, count=len(features)))
    amounts *= np.fromiter((shares[f] for f in features), dtype=np.float64, count=len(features))
    # The lowest bit gives the sign, so that features which share a slot cancel out on average.
    signs = 1.0 - 2.0 * (hashes & 1)
    vector = np.bincount((hashes >> 1) % dimensions, weights=amounts * signs, minlength=dimensions)
    length_ = float(np.linalg.norm(vector))
    if length_ == 0.0:
        vector[0] = length_ = 1.0
    return (vector / length_).astype(np.float32)


class EmbeddingCache:
    """The JSON of vectors by text, size and encoding; the least recently used is forgotten first."""

    def __init__(self, capacity: int = 4096) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[tuple[str, int, str], str] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def as_json(self, text: str, *, dimensions: int, encoding: str) -> str:
        """The value of `embedding` in a response: a JSON string (base64) or a JSON list (float)."""
        key = (text, dimensions, encoding)
        if (known := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
            return known
        vector = embed(text, dimensions)
        if encoding == "base64":
            made = f'"{base64.b64encode(vector.astype("<f4").tobytes()).decode()}"'
        else:
            made = json.dumps([round(number, 8) for number in vector.tolist()])
        self._kept[key] = made
        if len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
        return made
