"""Binary XML: what is written is read again, the forms are WhatsApp's, and nonsense is refused."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.whatsapp import tokens
from sandbox.whatsapp.binary import MalformedStanza, Node, pack, unpack
from sandbox.whatsapp.jid import GROUP, HOSTED_LID, INTEROP, LID, MESSENGER, PHONE, SERVER, Jid

USERS = st.text("0123456789", min_size=1, max_size=18)
WIDE = st.integers(min_value=0, max_value=0xFFFF)
JIDS = st.one_of(
    st.tuples(USERS, st.sampled_from([PHONE, LID, HOSTED_LID]), st.integers(0, 255)),
    st.tuples(USERS, st.sampled_from([GROUP, "broadcast", "newsletter", "c.us"])),
    st.tuples(USERS, st.just(MESSENGER), WIDE),
    st.tuples(USERS, st.just(INTEROP), WIDE, st.just(0), WIDE),
    st.just(SERVER),
).map(lambda parts: Jid(*parts))
TOKENS = st.sampled_from([*tokens.SINGLE[1:], *(token for row in tokens.DOUBLE for token in row)])
TEXTS = st.one_of(
    TOKENS,
    st.text("0123456789-.", min_size=1, max_size=140),
    st.text("0123456789ABCDEF", min_size=1, max_size=140),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=300),
)
TAGS = st.one_of(TOKENS, st.text("abcdefghij:-", min_size=1, max_size=20))
NODES = st.recursive(
    st.builds(
        Node,
        TAGS,
        st.dictionaries(TAGS, st.one_of(TEXTS, JIDS), max_size=4),
        # An empty list and empty bytes are written as what they are, and read as nothing and as empty bytes.
        st.one_of(st.none(), st.binary(max_size=400)),
    ),
    lambda inner: st.builds(
        Node,
        TAGS,
        st.dictionaries(TAGS, st.one_of(TEXTS, JIDS), max_size=3),
        st.lists(inner, min_size=1, max_size=4),
    ),
    max_leaves=12,
)


@given(NODES)
def test_a_node_is_read_as_it_was_written(node: Node) -> None:
    assert unpack(pack(node)) == node


@given(NODES)
def test_a_compressed_stanza_is_read_as_well(node: Node) -> None:
    plain = pack(node)
    assert unpack(b"\x02" + zlib.compress(plain[1:])) == node


@given(st.binary(max_size=200))
def test_bytes_that_are_no_stanza_are_refused_and_nothing_else_happens(data: bytes) -> None:
    try:
        node = unpack(data)
    except MalformedStanza:
        return
    assert unpack(pack(node)) == node or node.content in ([], b"")


@given(NODES, st.data())
def test_a_stanza_that_was_cut_off_is_refused(node: Node, data: st.DataObject) -> None:
    whole = pack(node)
    shorter = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(MalformedStanza):
        unpack(shorter)


def test_the_server_is_written_as_a_pair_with_an_empty_user() -> None:
    # 248: a list; 3 strings; "iq" and "from" are tokens 25 and 6; 250: a pair; 0: nothing; 3: s.whatsapp.net.
    assert pack(Node("iq", {"from": SERVER})) == bytes((0, 248, 3, 25, 6, 250, 0, 3))


def test_an_address_with_a_device_is_written_with_its_domain() -> None:
    written = pack(Node("to", {"jid": Jid("12345", LID, 7)}))
    # 247: an address with a device; 1: LID; 7: the device; 255: packed digits, in 3 bytes, one half too many.
    assert written.endswith(bytes((247, 1, 7, 255, 0x83, 0x12, 0x34, 0x5F)))


def test_long_content_gets_a_longer_length() -> None:
    for size in (255, 256, (1 << 20) - 1, 1 << 20):
        node = Node("enc", {}, bytes(size))
        assert unpack(pack(node)) == node


def test_many_children_make_a_longer_list() -> None:
    node = Node("list", {}, [Node("key", {"id": str(number)}) for number in range(812)])
    assert unpack(pack(node)) == node


@pytest.mark.parametrize(
    ("text", "jid"),
    [
        ("s.whatsapp.net", SERVER),
        ("62812@s.whatsapp.net", Jid("62812", PHONE)),
        ("62812:3@s.whatsapp.net", Jid("62812", PHONE, 3)),
        ("77.5:3@lid", Jid("77", LID, 3, 5)),
        ("1203-44@g.us", Jid("1203-44", GROUP)),
    ],
)
def test_addresses_are_written_and_read_as_text(text: str, jid: Jid) -> None:
    assert Jid.parse(text) == jid
    assert str(jid) == text


def test_the_dictionaries_are_complete() -> None:
    assert len(tokens.SINGLE) == 236
    assert [len(row) for row in tokens.DOUBLE] == [256] * 4
