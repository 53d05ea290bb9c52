"""Frames survive any way in which a stream is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.whatsapp.framing import LARGEST, Deframer, FrameTooLarge, frame


@given(st.lists(st.binary(max_size=300), max_size=8), st.integers(min_value=1, max_value=40))
def test_frames_come_out_as_they_went_in_however_the_stream_is_cut(payloads: list[bytes], step: int) -> None:
    stream = b"".join(map(frame, payloads))
    deframer = Deframer()
    pieces = [stream[start : start + step] for start in range(0, len(stream), step)]
    assert [found for piece in pieces for found in deframer.feed(piece)] == payloads


def test_a_frame_that_needs_more_than_three_bytes_of_length_is_refused() -> None:
    assert len(frame(bytes(LARGEST))) == LARGEST + 3
    with pytest.raises(FrameTooLarge):
        frame(bytes(LARGEST + 1))
