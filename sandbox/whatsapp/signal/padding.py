"""WhatsApp hides the length of a plaintext behind 1 to 16 bytes, each of which says how many they are."""

from __future__ import annotations

import os

from sandbox.whatsapp.signal.errors import BadMessage
from sandbox.whatsapp.signal.keys import Random


def pad(data: bytes, random: Random = os.urandom) -> bytes:
    count = (random(1)[0] & 15) + 1
    return data + bytes([count]) * count


def unpad(data: bytes) -> bytes:
    """Raises BadMessage when the last bytes are no such padding."""
    count = data[-1] if data else 0
    if not 1 <= count <= 16 or data[-count:] != bytes([count]) * count:
        raise BadMessage("the padding of the plaintext is wrong")
    return data[:-count]
