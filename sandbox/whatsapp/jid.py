"""Addresses on WhatsApp: a user, a device of a user, a group, or the server itself."""

from __future__ import annotations

from typing import NamedTuple

PHONE = "s.whatsapp.net"
LID = "lid"
GROUP = "g.us"
BROADCAST = "broadcast"
LEGACY = "c.us"
MESSENGER = "msgr"
INTEROP = "interop"
HOSTED = "hosted"
HOSTED_LID = "hosted.lid"

# The byte that stands for the server in an address with a device, and back.
_DOMAIN_OF = {PHONE: 0, LID: 1, HOSTED: 128, HOSTED_LID: 129}
_SERVER_OF = {number: server for server, number in _DOMAIN_OF.items()}


class Jid(NamedTuple):
    """One address. ``device`` 0 is the phone itself; linked devices count from 1."""

    user: str
    server: str
    device: int = 0
    # Numbers of domains that have no name here; 0 otherwise.
    agent: int = 0
    # Only addresses of other messengers (server "interop") have one.
    integrator: int = 0

    @property
    def account(self) -> Jid:
        """The same person without a device."""
        return Jid(self.user, self.server, integrator=self.integrator)

    def with_device(self, device: int) -> Jid:
        return Jid(self.user, self.server, device)

    @property
    def domain(self) -> int:
        """The byte that stands for the server where the address is written with its device."""
        return _DOMAIN_OF.get(self.server, self.agent)

    def __str__(self) -> str:
        if self.agent:
            return f"{self.user}.{self.agent}:{self.device}@{self.server}"
        if self.device:
            return f"{self.user}:{self.device}@{self.server}"
        return f"{self.user}@{self.server}" if self.user else self.server

    @classmethod
    def parse(cls, text: str) -> Jid:
        """The address written as text. Raises ValueError when it is none."""
        user, at, server = text.rpartition("@")
        if not at:
            return cls("", text)
        user, _, device = user.partition(":")
        user, _, agent = user.partition(".")
        return cls(user, server, int(device or 0), int(agent or 0))

    @classmethod
    def from_domain(cls, user: str, domain: int, device: int) -> Jid:
        """The address that is written with a domain byte and a device."""
        server = _SERVER_OF.get(domain)
        return cls(user, PHONE, device, domain) if server is None else cls(user, server, device)


SERVER = Jid("", PHONE)
