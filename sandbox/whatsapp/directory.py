"""Who is on WhatsApp: people under their phone number and their LID, both leading to the same person."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from sandbox.whatsapp.jid import LID, PHONE, Jid

if TYPE_CHECKING:
    from sandbox.whatsapp.phone import Phone


class User:
    """One person: both addresses, and the phone behind them."""

    def __init__(self, *, number: str, name: str) -> None:
        self.jid = Jid(number, PHONE)
        self.lid = Jid(_lid_of(number), LID)
        self.name = name
        self.phone: Phone | None = None
        # The numbers of all devices; 0 is the phone.
        self.devices: list[int] = [0]

    def address_beside(self, correspondent: Jid) -> Jid:
        """The person's address of the kind that the correspondent has."""
        return self.lid if correspondent.server == LID else self.jid


class Directory:
    """Finds a person by either address in one step, however many there are."""

    def __init__(self) -> None:
        self._users: dict[Jid, User] = {}

    def enter(self, number: str, name: str) -> User:
        """A new person. Raises ValueError for a number that is no international one or already taken."""
        if not (number.isdecimal() and 7 <= len(number) <= 15 and number[0] != "0"):
            raise ValueError(f"{number!r} is no phone number with its country code and digits alone")
        if Jid(number, PHONE) in self._users:
            raise ValueError(f"{number} is taken")
        user = User(number=number, name=name)
        self._users[user.jid] = user
        self._users[user.lid] = user
        return user

    def find(self, jid: Jid) -> User | None:
        """Whose address this is, with or without a device."""
        return self._users.get(jid if not jid.device else jid.account)


def _lid_of(number: str) -> str:
    """Fifteen digits that say nothing of the phone number, the same for it every time."""
    digest = hashlib.sha256(b"lid of " + number.encode()).digest()
    return str(10**14 + int.from_bytes(digest[:8], "big") % (9 * 10**14))
