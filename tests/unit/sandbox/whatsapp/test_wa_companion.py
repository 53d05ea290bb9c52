"""What a linked device has not confirmed stays in its queue and comes again."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sandbox.whatsapp.binary import Node
from sandbox.whatsapp.companion import Companion, key_of
from sandbox.whatsapp.jid import LID, PHONE, Jid

BUDI = Jid("200", LID)


class Line:
    """A connection that only remembers."""

    def __init__(self) -> None:
        self.sent: list[Node] = []

    def send(self, node: Node) -> None:
        self.sent.append(node)

    @property
    def messages(self) -> list[Node]:
        return [node for node in self.sent if node.tag == "message"]


def _device() -> Companion:
    return Companion(
        jid=Jid("628", PHONE, 1),
        lid=Jid("100", LID, 1),
        noise_public=bytes(32),
        identity=bytes(32),
        registration_id=7,
        signed=(1, bytes(32), bytes(64)),
    )


def _message(number: int) -> Node:
    return Node("message", {"id": f"M{number}", "from": BUDI, "type": "text"})


def test_what_was_sent_while_the_device_was_away_comes_when_it_is_ready_and_marked() -> None:
    device, line = _device(), Line()
    device.push(_message(1))
    device.push(_message(2))
    device.line = line
    device.push(_message(3))
    assert line.sent == []
    device.activate()
    assert [node.tag for node in line.sent] == ["ib", "message", "message", "message", "ib"]
    assert [node.text("offline") for node in line.messages] == ["0", "1", "2"]
    assert line.sent[0].find("offline_preview").text("message") == "3"
    assert line.sent[-1].find("offline").text("count") == "3"
    device.push(_message(4))
    assert "offline" not in line.messages[-1].attributes


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30))
def test_a_stanza_comes_again_until_it_was_confirmed(history: list[tuple[int, bool]]) -> None:
    device = _device()
    unconfirmed: dict[int, None] = {}
    for number, confirms in history:
        if confirms:
            assert device.confirm("message", f"M{number}", BUDI) == (number in unconfirmed)
            unconfirmed.pop(number, None)
        else:
            device.push(_message(number))
            unconfirmed[number] = None
    for _ in range(2):
        line = Line()
        device.line = line
        device.activate()
        assert [node.text("id") for node in line.messages] == [f"M{number}" for number in unconfirmed]
        device.leave()


def test_receipts_of_several_kinds_for_one_message_are_kept_apart() -> None:
    read = Node("receipt", {"id": "M1", "from": BUDI, "type": "read"})
    delivered = Node("receipt", {"id": "M1", "from": BUDI})
    assert len({key_of(read), key_of(delivered), key_of(_message(1))}) == 3


def test_typing_is_lost_when_nobody_is_there() -> None:
    device = _device()
    device.send_now(Node("chatstate", {"from": BUDI}))
    device.line = line = Line()
    device.activate()
    assert [node.tag for node in line.sent] == ["ib"]


def test_every_correspondent_gets_a_one_time_key_of_his_own_while_there_are_any() -> None:
    device = _device()
    device.upload([(10, b"a" * 32), (11, b"b" * 32)], (2, b"s" * 32, b"t" * 64))
    bundles = [device.bundle() for _ in range(3)]
    assert [bundle.one_time_id for bundle in bundles] == [10, 11, None]
    assert {bundle.signed_id for bundle in bundles} == {2}
