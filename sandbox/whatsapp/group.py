"""Groups: who is in them, and what a device is told about them."""

from __future__ import annotations

import time

from sandbox.whatsapp.binary import Attribute, Node
from sandbox.whatsapp.directory import User
from sandbox.whatsapp.jid import BROADCAST, GROUP, Jid

# Everybody's status posts come under this address, as messages of a group that nobody is told the members of.
STATUS = Jid("status", BROADCAST)


class Group:
    """A group; the first member made it and runs it."""

    def __init__(self, jid: Jid, subject: str, members: list[User]) -> None:
        self.jid = jid
        self.subject = subject
        self.members = members
        self.created_s = int(time.time())

    @classmethod
    def made(cls, number: int, subject: str, members: list[User]) -> Group:
        """A new group; its address is a long number, as WhatsApp gives them today."""
        return cls(Jid(str(120_363_000_000_000_000 + number), GROUP), subject, members)

    def node(self) -> Node:
        """The group as devices are told about it."""
        founder = self.members[0]
        attributes: dict[str, Attribute] = {
            "id": self.jid.user,
            "subject": self.subject,
            "s_t": str(self.created_s),
            "s_o": founder.lid,
            "creation": str(self.created_s),
            "creator": founder.lid,
            "addressing_mode": "lid",
            "size": str(len(self.members)),
        }
        return Node("group", attributes, [_participant(user, founder) for user in self.members])


def _participant(user: User, founder: User) -> Node:
    attributes: dict[str, Attribute] = {"jid": user.lid, "phone_number": user.jid}
    if user is founder:
        attributes["type"] = "superadmin"
    return Node("participant", attributes)
