"""Binary XML: how WhatsApp writes its stanzas. Bytes to nodes and back; no keys and no network.

A node is a list of its tag, its attributes (name, value, name, value ...) and, when there is any, its
content. Strings are written as tokens (``tokens.txt``), as packed digits, or as they are; addresses have
forms of their own.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sandbox.whatsapp import jid as jids
from sandbox.whatsapp.jid import Jid
from sandbox.whatsapp.tokens import DOUBLE, FIRST_DICTIONARY, SINGLE, WRITTEN

EMPTY: Final = 0
INTEROP_JID: Final = 245
MESSENGER_JID: Final = 246
DEVICE_JID: Final = 247
LIST_8: Final = 248
LIST_16: Final = 249
JID_PAIR: Final = 250
HEX: Final = 251
BINARY_8: Final = 252
BINARY_20: Final = 253
BINARY_32: Final = 254
NIBBLES: Final = 255

_LONGEST_PACKED = 127
_COMPRESSED = 2
# Each half byte is a digit; these stand where a hexadecimal number has its letters.
_NIBBLES_AS_HEX = str.maketrans("-.", "ab")
_HEX_AS_NIBBLES = str.maketrans("ab", "-.")
_NIBBLE_SET = frozenset("0123456789-.")
_HEX_SET = frozenset("0123456789ABCDEF")
# A stanza is small; what claims to be larger once inflated is an attack or a fault.
_LARGEST_INFLATED = 1 << 24

Attribute = str | Jid


class MalformedStanza(ValueError):
    """The bytes are not binary XML; close the connection."""


@dataclass(slots=True)
class Node:
    """One element. Content is child nodes, bytes, a string (written as a token or digits), or nothing."""

    tag: str
    attributes: dict[str, Attribute] = field(default_factory=dict)
    content: list[Node] | bytes | str | None = None

    @property
    def children(self) -> list[Node]:
        return self.content if isinstance(self.content, list) else []

    @property
    def data(self) -> bytes:
        """The content as bytes; empty when it is nodes or nothing."""
        content = self.content
        if isinstance(content, bytes):
            return content
        return content.encode() if isinstance(content, str) else b""

    def child(self, tag: str) -> Node | None:
        return next((node for node in self.children if node.tag == tag), None)

    def find(self, *path: str) -> Node:
        """The node at the end of the path of tags. Raises MalformedStanza when one is missing."""
        node: Node | None = self
        for tag in path:
            node = node.child(tag) if node is not None else None
        if node is None:
            raise MalformedStanza(f"<{self.tag}> has no {'/'.join(path)}")
        return node

    def all(self, tag: str) -> Iterator[Node]:
        return (node for node in self.children if node.tag == tag)

    def text(self, name: str, default: str = "") -> str:
        """An attribute as text."""
        value = self.attributes.get(name)
        return default if value is None else str(value)

    def address(self, name: str) -> Jid | None:
        """An attribute as an address; None when it is missing or text that is none."""
        value = self.attributes.get(name)
        return value if isinstance(value, Jid) else None

    def __str__(self) -> str:
        attributes = "".join(f' {name}="{value}"' for name, value in self.attributes.items())
        if self.content is None:
            return f"<{self.tag}{attributes}/>"
        inner = "".join(map(str, self.children)) or f"{len(self.data)} bytes"
        return f"<{self.tag}{attributes}>{inner}</{self.tag}>"


def pack(node: Node) -> bytes:
    """The stanza as it goes into a frame: a byte of flags (never compressed, as the client does it), then the
    node.
    """
    out = bytearray(1)
    _write_node(out, node)
    return bytes(out)


def unpack(data: bytes) -> Node:
    """The stanza of one frame. Raises MalformedStanza."""
    if not data:
        raise MalformedStanza("an empty frame")
    body = _inflate(data[1:]) if data[0] & _COMPRESSED else data[1:]
    reader = _Reader(body)
    try:
        return reader.node()
    except (IndexError, UnicodeDecodeError, TypeError, AttributeError) as exc:
        raise MalformedStanza(f"at byte {reader.at} of {len(body)}: {exc}") from exc


def _inflate(data: bytes) -> bytes:
    inflater = zlib.decompressobj()
    try:
        body = inflater.decompress(data, _LARGEST_INFLATED)
    except zlib.error as exc:
        raise MalformedStanza(f"bad compression: {exc}") from exc
    if inflater.unconsumed_tail or not inflater.eof:
        raise MalformedStanza("compressed data that does not end, or is far too large")
    return body


def _write_node(out: bytearray, node: Node) -> None:
    attributes, content = node.attributes, node.content
    _write_list_size(out, 1 + 2 * len(attributes) + (content is not None))
    _write_text(out, node.tag)
    for name, value in attributes.items():
        _write_text(out, name)
        # An address is a tuple, so the commoner string is asked for first.
        if isinstance(value, str):
            _write_text(out, value)
        else:
            _write_jid(out, value)
    if content is None:
        return
    if isinstance(content, list):
        _write_list_size(out, len(content))
        for child in content:
            _write_node(out, child)
    elif isinstance(content, str):
        _write_text(out, content)
    else:
        _write_raw(out, content)


def _write_list_size(out: bytearray, size: int) -> None:
    if size == 0:
        out.append(EMPTY)
    elif size < 256:
        out += bytes((LIST_8, size))
    else:
        out.append(LIST_16)
        out += size.to_bytes(2, "big")


def _write_raw(out: bytearray, data: bytes) -> None:
    size = len(data)
    if size < 256:
        out += bytes((BINARY_8, size))
    elif size < 1 << 20:
        out.append(BINARY_20)
        out += size.to_bytes(3, "big")
    else:
        out.append(BINARY_32)
        out += size.to_bytes(4, "big")
    out += data


def _write_text(out: bytearray, text: str) -> None:
    written = WRITTEN.get(text)
    if written is not None:
        out += written
    elif 0 < len(text) <= _LONGEST_PACKED and _NIBBLE_SET.issuperset(text):
        _write_packed(out, NIBBLES, text)
    elif 0 < len(text) <= _LONGEST_PACKED and _HEX_SET.issuperset(text):
        _write_packed(out, HEX, text)
    else:
        _write_raw(out, text.encode())


def _write_packed(out: bytearray, kind: int, text: str) -> None:
    odd = len(text) % 2
    halves = text.translate(_NIBBLES_AS_HEX) if kind == NIBBLES else text
    out += bytes((kind, (len(text) + 1) // 2 | odd << 7))
    out += bytes.fromhex(halves + "f" if odd else halves)


def _write_jid(out: bytearray, jid: Jid) -> None:
    server = jid.server
    if (jid.device and server in (jids.PHONE, jids.LID)) or server in (jids.HOSTED, jids.HOSTED_LID):
        out += bytes((DEVICE_JID, jid.domain, jid.device))
        _write_text(out, jid.user)
    elif server == jids.MESSENGER:
        out.append(MESSENGER_JID)
        _write_text(out, jid.user)
        out += jid.device.to_bytes(2, "big")
        _write_text(out, server)
    elif server == jids.INTEROP:
        out.append(INTEROP_JID)
        _write_text(out, jid.user)
        out += jid.device.to_bytes(2, "big") + jid.integrator.to_bytes(2, "big")
        _write_text(out, server)
    else:
        out.append(JID_PAIR)
        if jid.user:
            _write_text(out, jid.user)
        else:
            # The server itself: whatsmeow ignores a stanza whose "from" is written as a plain string.
            out.append(EMPTY)
        _write_text(out, server)


class _Reader:
    """Reads one node from the start of the bytes; ``at`` is where it stands."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def node(self) -> Node:
        size = self._list_size(self._byte())
        if size == 0:
            raise MalformedStanza("a node without a tag")
        tag = self._string()
        attributes: dict[str, Attribute] = {}
        for _ in range((size - 1) // 2):
            name = self._string()
            attributes[name] = self._value()
        return Node(tag, attributes, None if size % 2 else self._content())

    def _byte(self) -> int:
        value = self.data[self.at]
        self.at += 1
        return value

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def _take(self, size: int) -> bytes:
        start, self.at = self.at, self.at + size
        if self.at > len(self.data):
            raise MalformedStanza(f"{size} bytes announced at byte {start}, and fewer are there")
        return self.data[start : self.at]

    def _list_size(self, kind: int) -> int:
        if kind == LIST_8:
            return self._byte()
        if kind == LIST_16:
            return self._number(2)
        if kind == EMPTY:
            return 0
        raise MalformedStanza(f"a list was expected, not {kind}")

    def _content(self) -> list[Node] | bytes | str | None:
        kind = self._byte()
        if kind in (LIST_8, LIST_16):
            return [self.node() for _ in range(self._list_size(kind))]
        if kind == EMPTY:
            return None
        size = self._raw_size(kind)
        if size is not None:
            return self._take(size)
        value = self._short(kind)
        return str(value)

    def _value(self) -> Attribute:
        kind = self._byte()
        if kind == EMPTY:
            return ""
        size = self._raw_size(kind)
        return self._short(kind) if size is None else self._take(size).decode()

    def _string(self) -> str:
        value = self._value()
        if isinstance(value, str):
            return value
        raise MalformedStanza(f"text was expected, not the address {value}")

    def _raw_size(self, kind: int) -> int | None:
        if kind == BINARY_8:
            return self._byte()
        if kind == BINARY_20:
            return self._number(3) & 0xFFFFF
        if kind == BINARY_32:
            return self._number(4)
        return None

    def _short(self, kind: int) -> Attribute:
        if 0 < kind < len(SINGLE):
            return SINGLE[kind]
        if FIRST_DICTIONARY <= kind < FIRST_DICTIONARY + len(DOUBLE):
            return DOUBLE[kind - FIRST_DICTIONARY][self._byte()]
        read = self._SPECIAL.get(kind)
        if read is None:
            raise MalformedStanza(f"the unknown token {kind}")
        return read(self)

    def _jid_pair(self) -> Jid:
        user = self._string()
        return Jid(user, self._string())

    def _device_jid(self) -> Jid:
        domain, device = self._byte(), self._byte()
        return Jid.from_domain(self._string(), domain, device)

    def _messenger_jid(self) -> Jid:
        user, device = self._string(), self._number(2)
        return Jid(user, self._string(), device)

    def _interop_jid(self) -> Jid:
        user, device, integrator = self._string(), self._number(2), self._number(2)
        return Jid(user, self._string(), device, integrator=integrator)

    def _nibbles(self) -> str:
        halves = self._halves().translate(_HEX_AS_NIBBLES)
        if _NIBBLE_SET.issuperset(halves):
            return halves
        raise MalformedStanza(f"packed digits with something else between them, before byte {self.at}")

    def _hex(self) -> str:
        return self._halves().upper()

    def _halves(self) -> str:
        """Half bytes as hexadecimal digits; with an odd number of them the last one is a filler."""
        start = self._byte()
        halves = self._take(start & 127).hex()
        return halves[:-1] if start >> 7 else halves

    _SPECIAL: Final[Mapping[int, Callable[[_Reader], Attribute]]] = {
        JID_PAIR: _jid_pair,
        DEVICE_JID: _device_jid,
        MESSENGER_JID: _messenger_jid,
        INTEROP_JID: _interop_jid,
        NIBBLES: _nibbles,
        HEX: _hex,
    }
