"""Two devices, their first contact both ways, and messages that come late, twice, forged or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sandbox.whatsapp.signal import (
    BadMessage,
    Duplicate,
    Identity,
    KeyPair,
    NoSession,
    PreKeyBundle,
    Session,
    UnknownPreKey,
    UntrustedBundle,
    wire,
)
from sandbox.whatsapp.signal.chain import MOST_AHEAD, MOST_SKIPPED
from sandbox.whatsapp.signal.session import MOST_CHAINS

SMALL_ORDER = bytes(32)


@pytest.fixture
def ani() -> Identity:
    return Identity.generate()


@pytest.fixture
def budi() -> Identity:
    return Identity.generate()


@pytest.fixture
def pair(ani: Identity, budi: Identity) -> tuple[Session, Session]:
    """Two ends of a session that both have written in."""
    hers = Session.begin(ani, budi.bundle())
    his, _ = Session.accept(budi, hers.encrypt(b"halo")[1])
    hers.decrypt(*his.encrypt(b"ya"))
    return hers, his


@pytest.mark.parametrize("one_time", [True, False])
def test_the_first_message_sets_up_the_session_on_the_other_side(
    ani: Identity, budi: Identity, one_time: bool
) -> None:
    hers = Session.begin(ani, budi.bundle(one_time=one_time))
    kind, data = hers.encrypt(b"halo")
    his, plaintext = Session.accept(budi, data)
    assert (kind, plaintext) == ("pkmsg", b"halo")
    assert his.their_identity == ani.pair.public
    kind, data = his.encrypt(b"ya")
    assert kind == "msg"
    assert hers.decrypt(kind, data) == b"ya"


def test_messages_carry_the_prekeys_until_an_answer_was_read(ani: Identity, budi: Identity) -> None:
    hers = Session.begin(ani, budi.bundle())
    sent = [hers.encrypt(b"%d" % number) for number in range(3)]
    assert [kind for kind, _ in sent] == ["pkmsg"] * 3
    his, first = Session.accept(budi, sent[2][1])
    assert [first, his.decrypt(*sent[0]), his.decrypt(*sent[1])] == [b"2", b"0", b"1"]
    hers.decrypt(*his.encrypt(b"ya"))
    assert hers.encrypt(b"lalu")[0] == "msg"


def test_a_one_time_prekey_serves_once(ani: Identity, budi: Identity) -> None:
    bundle = budi.bundle()
    Session.accept(budi, Session.begin(ani, bundle).encrypt(b"halo")[1])
    with pytest.raises(UnknownPreKey):
        Session.accept(budi, Session.begin(ani, bundle).encrypt(b"lagi")[1])


def test_a_forged_first_message_uses_up_no_prekey(ani: Identity, budi: Identity) -> None:
    _, data = Session.begin(ani, budi.bundle()).encrypt(b"halo")
    first = wire.parse_prekey_message(data)
    forged = first._replace(message=first.message[:-1] + bytes([first.message[-1] ^ 1]))
    with pytest.raises(BadMessage):
        Session.accept(budi, wire.prekey_message(forged))
    assert Session.accept(budi, data)[1] == b"halo"


def test_somebody_elses_identity_in_a_first_message_is_found_out(ani: Identity, budi: Identity) -> None:
    _, data = Session.begin(ani, budi.bundle()).encrypt(b"halo")
    posed = wire.parse_prekey_message(data)._replace(identity=KeyPair.generate().public)
    with pytest.raises(BadMessage):
        Session.accept(budi, wire.prekey_message(posed))


def test_a_replaced_signed_prekey_is_not_understood_any_more(ani: Identity, budi: Identity) -> None:
    _, data = Session.begin(ani, budi.bundle()).encrypt(b"halo")
    budi.renew_signed()
    with pytest.raises(UnknownPreKey):
        Session.accept(budi, data)
    assert Session.accept(budi, Session.begin(ani, budi.bundle()).encrypt(b"halo")[1])[1] == b"halo"


def bundles_to_refuse(genuine: PreKeyBundle) -> Iterator[PreKeyBundle]:
    yield replace(genuine, signature=bytes(64))
    yield replace(genuine, signature=genuine.signature[:-1])
    yield replace(genuine, signed_public=KeyPair.generate().public)
    yield replace(genuine, identity=KeyPair.generate().public)


def test_a_bundle_is_refused_unless_its_identity_signed_the_prekey(ani: Identity, budi: Identity) -> None:
    for bundle in bundles_to_refuse(budi.bundle()):
        with pytest.raises(UntrustedBundle):
            Session.begin(ani, bundle)


def test_a_key_of_small_order_is_refused_wherever_it_comes_from(
    ani: Identity, budi: Identity, pair: tuple[Session, Session]
) -> None:
    with pytest.raises(BadMessage):
        Session.begin(ani, replace(budi.bundle(), one_time_public=SMALL_ORDER))
    hers, his = pair
    message = wire.signal_message(SMALL_ORDER, 0, 0, bytes(16)) + bytes(8)
    with pytest.raises(BadMessage):
        hers.decrypt("msg", message)
    assert hers.decrypt(*his.encrypt(b"masih")) == b"masih"


def test_every_changed_byte_is_found_out_and_the_session_goes_on(pair: tuple[Session, Session]) -> None:
    hers, his = pair
    kind, data = hers.encrypt(b"harga?")
    for place in range(len(data)):
        forged = bytearray(data)
        forged[place] ^= 1
        # The low half of the first byte is the sender's own version; it is under the MAC like the rest.
        with pytest.raises(BadMessage):
            his.decrypt(kind, bytes(forged))
    for length in range(len(data)):
        with pytest.raises(BadMessage):
            his.decrypt(kind, data[:length])
    assert his.decrypt(kind, data) == b"harga?"


def test_a_message_read_before_is_called_a_duplicate(pair: tuple[Session, Session]) -> None:
    hers, his = pair
    sent = [hers.encrypt(b"%d" % number) for number in range(3)]
    assert his.decrypt(*sent[1]) == b"1"
    assert his.decrypt(*sent[0]) == b"0"
    for message in sent[:2]:
        with pytest.raises(Duplicate):
            his.decrypt(*message)
    assert his.decrypt(*sent[2]) == b"2"


def test_a_message_too_far_ahead_is_refused_without_harm(pair: tuple[Session, Session]) -> None:
    hers, his = pair
    his.decrypt(*hers.encrypt(b"awal"))
    sent = [hers.encrypt(b"%d" % number) for number in range(MOST_AHEAD + 2)]
    with pytest.raises(BadMessage):
        his.decrypt(*sent[MOST_AHEAD + 1])
    assert his.decrypt(*sent[MOST_AHEAD]) == b"%d" % MOST_AHEAD
    assert his.decrypt(*sent[MOST_AHEAD + 1]) == b"%d" % (MOST_AHEAD + 1)


def test_a_chain_keeps_the_newest_of_the_messages_it_skipped(pair: tuple[Session, Session]) -> None:
    hers, his = pair
    sent = [hers.encrypt(b"%d" % number) for number in range(MOST_SKIPPED + 3)]
    his.decrypt(*sent[1])
    his.decrypt(*sent[-1])
    # Message 0 and those between the two were skipped: one more than is kept, so the oldest is gone.
    assert his.decrypt(*sent[2]) == b"2"
    with pytest.raises(Duplicate):
        his.decrypt(*sent[0])


def test_a_late_message_is_read_for_as_many_turns_as_chains_are_kept(pair: tuple[Session, Session]) -> None:
    hers, his = pair
    late = [hers.encrypt(b"%d" % number) for number in range(3)]
    his.decrypt(*late.pop())
    for turn in range(MOST_CHAINS):
        if turn == MOST_CHAINS - 1:
            assert his.decrypt(*late[0]) == b"0"
        hers.decrypt(*his.encrypt(b"giliran"))
        his.decrypt(*hers.encrypt(b"giliran"))
    with pytest.raises(BadMessage):
        his.decrypt(*late[1])


def test_a_message_that_begins_another_session_is_not_for_this_one(
    ani: Identity, budi: Identity, pair: tuple[Session, Session]
) -> None:
    with pytest.raises(NoSession):
        pair[1].decrypt(*Session.begin(ani, budi.bundle()).encrypt(b"halo"))


def test_an_empty_and_a_long_text_arrive_unchanged(pair: tuple[Session, Session]) -> None:
    hers, his = pair
    for text in (b"", b"x" * 16, b"y" * 70_000):
        assert his.decrypt(*hers.encrypt(text)) == text
