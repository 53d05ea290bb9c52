"""The messages as bytes: a version, protobuf fields, and a MAC (between devices) or a signature (in groups).

The few protobufs are written and read by hand: they are small, and this is the path of every message.
Field numbers are those of libsignal's WhisperTextProtocol. The receiving client checks the MAC over a message
that it has encoded anew, so all fields are written, zeros too, and in the order of their numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from sandbox.whatsapp.signal.errors import BadMessage
from sandbox.whatsapp.signal.keys import SIGNATURE_LENGTH, typed, untyped

# libsignal's Go port writes the digit, not 0x33 from two nibbles; they are the same byte.
VERSION = b"3"
MAC_LENGTH = 8
_MOST_U32 = 0xFFFF_FFFF

_VARINT = 0
_FIXED64 = 1
_BYTES = 2
_FIXED32 = 5


class SignalMessage(NamedTuple):
    """`signed` is what the MAC is over, together with the two identities."""

    ratchet: bytes
    counter: int
    ciphertext: bytes
    signed: bytes
    mac: bytes


class PreKeyMessage(NamedTuple):
    """The first messages of a session carry the keys to set it up; `message` is a SignalMessage's bytes."""

    registration_id: int
    one_time_id: int | None
    signed_id: int
    base: bytes
    identity: bytes
    message: bytes


class DistributionMessage(NamedTuple):
    """A sender's key of a group: the chain key at place `counter`, and the key that signs its messages."""

    id: int
    counter: int
    chain: bytes
    signing: bytes


class SenderKeyMessage(NamedTuple):
    """A message to a group; `signed` is what the signature is over."""

    id: int
    counter: int
    ciphertext: bytes
    signed: bytes
    signature: bytes


def signal_message(ratchet: bytes, counter: int, previous: int, ciphertext: bytes) -> bytes:
    """A SignalMessage up to its MAC. `previous` is the last counter of the sender's chain before this one."""
    return b"".join(
        (
            VERSION, _bytes(1, typed(ratchet)), b"\x10", varint(counter), b"\x18", varint(previous),
            b"\x22", varint(len(ciphertext)), ciphertext,
        )
    )  # fmt: skip


def parse_signal_message(data: bytes) -> SignalMessage:
    fields = _fields(data, 1, len(data) - MAC_LENGTH)
    return SignalMessage(
        untyped(_blob(fields, 1)),
        _number(fields, 2),
        _blob(fields, 4),
        data[:-MAC_LENGTH],
        data[-MAC_LENGTH:],
    )


def prekey_message(first: PreKeyMessage) -> bytes:
    one_time = b"" if first.one_time_id is None else b"\x08" + varint(first.one_time_id)
    return b"".join(
        (
            VERSION, one_time, _bytes(2, typed(first.base)), _bytes(3, typed(first.identity)),
            _bytes(4, first.message),
            b"\x28", varint(first.registration_id), b"\x30", varint(first.signed_id),
        )
    )  # fmt: skip


def parse_prekey_message(data: bytes) -> PreKeyMessage:
    fields = _fields(data, 1, len(data))
    # The client never numbers a one-time prekey 0 and takes that for "none".
    return PreKeyMessage(
        registration_id=_number(fields, 5),
        one_time_id=_number(fields, 1) or None,
        signed_id=_number(fields, 6),
        base=untyped(_blob(fields, 2)),
        identity=untyped(_blob(fields, 3)),
        message=_blob(fields, 4),
    )


def distribution_message(key: DistributionMessage) -> bytes:
    return b"".join(
        (
            VERSION, b"\x08", varint(key.id), b"\x10", varint(key.counter),
            _bytes(3, key.chain), _bytes(4, typed(key.signing)),
        )
    )  # fmt: skip


def parse_distribution_message(data: bytes) -> DistributionMessage:
    fields = _fields(data, 1, len(data))
    return DistributionMessage(
        id=_number(fields, 1),
        counter=_number(fields, 2),
        chain=_blob(fields, 3),
        signing=untyped(_blob(fields, 4)),
    )


def sender_key_message(id: int, counter: int, ciphertext: bytes) -> bytes:
    """A SenderKeyMessage up to its signature."""
    return b"".join((VERSION, b"\x08", varint(id), b"\x10", varint(counter), _bytes(3, ciphertext)))


def parse_sender_key_message(data: bytes) -> SenderKeyMessage:
    fields = _fields(data, 1, len(data) - SIGNATURE_LENGTH)
    return SenderKeyMessage(
        id=_number(fields, 1),
        counter=_number(fields, 2),
        ciphertext=_blob(fields, 3),
        signed=data[:-SIGNATURE_LENGTH],
        signature=data[-SIGNATURE_LENGTH:],
    )


def varint(value: int) -> bytes:
    if value < 0x80:
        return bytes((value,))
    written = bytearray()
    while value >= 0x80:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)


def _bytes(number: int, value: bytes) -> bytes:
    return bytes((number << 3 | _BYTES,)) + varint(len(value)) + value


def _blob(fields: dict[int, int | bytes], number: int) -> bytes:
    value = fields.get(number)
    if not isinstance(value, bytes):
        raise BadMessage(f"field {number} is missing or not bytes")
    return value


def _number(fields: dict[int, int | bytes], number: int) -> int:
    """An optional number of 32 bits; longer ones are cut to that, as protobuf says."""
    value = fields.get(number, 0)
    if not isinstance(value, int):
        raise BadMessage(f"field {number} is not a number")
    return value & _MOST_U32


def _fields(data: bytes, start: int, end: int) -> dict[int, int | bytes]:
    """The fields of a protobuf between two places by their numbers, the last one of each."""
    if end < start or data[0] >> 4 != 3:
        raise BadMessage("too short, or not of version 3")
    fields: dict[int, int | bytes] = {}
    at = start
    while at < end:
        tag, at = _read_varint(data, at, end)
        kind = tag & 7
        if kind == _VARINT:
            fields[tag >> 3], at = _read_varint(data, at, end)
            continue
        if kind == _BYTES:
            length, at = _read_varint(data, at, end)
        elif kind == _FIXED64:
            length = 8
        elif kind == _FIXED32:
            length = 4
        else:
            raise BadMessage("not a protobuf")
        if at + length > end:
            raise BadMessage("a field is longer than the message")
        fields[tag >> 3] = data[at : at + length]
        at += length
    return fields


def _read_varint(data: bytes, at: int, end: int) -> tuple[int, int]:
    """The number at this place and the place after it."""
    value = shift = 0
    while at < end and shift < 64:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise BadMessage("a number does not end")
