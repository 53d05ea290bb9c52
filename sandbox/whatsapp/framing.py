"""Frames inside the web socket's byte stream: three bytes of length, then as many bytes."""

from __future__ import annotations

LENGTH_BYTES = 3
LARGEST = (1 << 24) - 1


class FrameTooLarge(ValueError):
    """A frame's length has three bytes, so nothing of 16 MiB or more fits; give up."""


def frame(payload: bytes) -> bytes:
    """The payload with its length in front. Raises FrameTooLarge."""
    if len(payload) > LARGEST:
        raise FrameTooLarge(f"{len(payload)} bytes do not fit into one frame")
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload


class Deframer:
    """Cuts a stream, which may arrive in any pieces, back into its frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that these bytes complete, in order."""
        buffer = self._buffer
        buffer += data
        frames: list[bytes] = []
        start = 0
        while len(buffer) - start >= LENGTH_BYTES:
            body = start + LENGTH_BYTES
            end = body + int.from_bytes(buffer[start:body], "big")
            if end > len(buffer):
                break
            frames.append(bytes(buffer[body:end]))
            start = end
        del buffer[:start]
        return frames
