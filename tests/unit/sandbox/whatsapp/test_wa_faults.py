"""The switches of the WhatsApp stand-in are used up as often as it was said."""

from __future__ import annotations

import pytest

from sandbox.whatsapp.directory import Directory
from sandbox.whatsapp.faults import Faults, Refusal
from sandbox.whatsapp.jid import LID, PHONE, Jid


async def test_a_refusal_counts_down_or_stays() -> None:
    faults = Faults()
    assert faults.take_refusal() is None
    faults.refusal = Refusal(reason=503, times=2)
    assert [bool(faults.take_refusal()) for _ in range(3)] == [True, True, False]
    faults.refusal = Refusal(reason=405, times=None)
    assert all(faults.take_refusal() for _ in range(5))


async def test_sends_are_turned_down_as_often_as_it_was_said() -> None:
    faults = Faults()
    faults.nack = (463, 2)
    assert [faults.take_nack() for _ in range(3)] == [463, 463, None]
    faults.acks_swallowed = 1
    assert [faults.swallows_ack() for _ in range(2)] == [True, False]


def test_a_person_is_found_by_number_and_by_lid_with_any_device() -> None:
    directory = Directory()
    user = directory.enter("6281234567890", "Budi")
    assert directory.find(Jid("6281234567890", PHONE)) is user
    assert directory.find(Jid(user.lid.user, LID, 3)) is user
    assert directory.find(Jid("1", LID)) is None
    assert user.address_beside(Jid("9", LID)).server == LID
    with pytest.raises(ValueError, match="taken"):
        directory.enter("6281234567890", "Siti")


@pytest.mark.parametrize("number", ["081234567890", "+6281234567890", "123", "62 812 345 6789"])
def test_what_is_no_international_number_is_refused(number: str) -> None:
    with pytest.raises(ValueError, match="no phone number"):
        Directory().enter(number, "Budi")
