"""The server's rules: who may come in, where stanzas go, what is confirmed. No sockets.

Devices that are linked to the account talk to it in stanzas; simulated phones live in the same process and
are called directly. What a phone sends to a linked device is encrypted for it; between two phones nothing
crosses a wire, so nothing is encrypted.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import ClassVar

from sandbox.whatsapp import queries
from sandbox.whatsapp.binary import Attribute, MalformedStanza, Node
from sandbox.whatsapp.companion import FEW_PREKEYS, Companion
from sandbox.whatsapp.connection import Connection
from sandbox.whatsapp.directory import Directory, User
from sandbox.whatsapp.faults import Faults
from sandbox.whatsapp.group import Group
from sandbox.whatsapp.jid import GROUP, SERVER, Jid
from sandbox.whatsapp.mediahost import MediaHost
from sandbox.whatsapp.pairing import Pairing
from sandbox.whatsapp.protos import WA6
from sandbox.whatsapp.shared import Collections
from sandbox.whatsapp.signal import PreKeyBundle

log = logging.getLogger(__name__)


class Network:
    """One account with its linked devices, and everybody it can write to."""

    def __init__(self, *, owner_number: str, owner_name: str) -> None:
        self.directory = Directory()
        self.account = self.directory.enter(owner_number, owner_name)
        self.faults = Faults()
        self.companions: dict[int, Companion] = {}
        self.groups: dict[Jid, Group] = {}
        self.media = MediaHost()
        self.shared = Collections()
        self.pairing = Pairing(self)
        # By tag or name: stanzas and queries that nobody here knows; they are answered, and a test may look.
        self.unknown: Counter[str] = Counter()
        self._present: dict[Connection, Companion | None] = {}
        # How often a client came with a finished handshake, let in or not.
        self.logins = 0
        self._numbers = itertools.count(1)
        # Set, and replaced by a new one, whenever a device comes, goes or is linked.
        self.changed = asyncio.Event()

    # --- Connections ----------------------------------------------------------------------------------------

    def arrived(self, connection: Connection, static: bytes, payload: bytes) -> None:
        """A client finished its handshake: it registers or logs in, or is turned away."""
        client = WA6.ClientPayload.FromString(payload)
        self._present[connection] = None
        self.logins += 1
        refusal = self.faults.take_refusal()
        if refusal is not None:
            self._turn_away(connection, refusal.reason, refusal.attributes)
        elif client.HasField("devicePairingData"):
            self.pairing.offer(connection, client.devicePairingData)
        else:
            self._log_in(connection, static, client)

    def left(self, connection: Connection) -> None:
        companion = self._present.pop(connection, None)
        self.pairing.forget(connection)
        if companion is not None and companion.line is connection:
            companion.leave()
        self.tell()

    def _log_in(self, connection: Connection, static: bytes, client: WA6.ClientPayload) -> None:
        companion = self.companions.get(client.device)
        is_known = companion is not None and str(client.username) == self.account.jid.user
        if companion is None or not is_known or companion.noise_public != static:
            # As for a device that was unlinked on the phone.
            self._turn_away(connection, 401, {})
            return
        if isinstance(companion.line, Connection):
            companion.line.part(Node("stream:error", {}, [Node("conflict", {"type": "replaced"})]))
            companion.leave()
        companion.line = connection
        self._present[connection] = companion
        attributes: dict[str, Attribute] = {
            "t": _now(),
            "lid": companion.lid,
            "location": "sandbox",
            "creation": _now(),
        }
        connection.send(Node("success", attributes))

    def _turn_away(self, connection: Connection, reason: int, attributes: dict[str, str]) -> None:
        connection.part(Node("failure", {"reason": str(reason), "location": "sandbox", **attributes}))

    def connections(self) -> list[Connection]:
        return list(self._present)

    # --- Stanzas of linked devices --------------------------------------------------------------------------

    def received(self, connection: Connection, node: Node) -> None:
        """A stanza came in. Nothing that a client sends may break the server: what is malformed is logged."""
        try:
            self._received(connection, node)
        except MalformedStanza as exc:
            log.warning("a stanza that makes no sense: %s in %s", exc, node)
            self.unknown[f"malformed {node.tag}"] += 1

    def _received(self, connection: Connection, node: Node) -> None:
        companion = self._present.get(connection)
        if node.tag == "iq":
            self._query(connection, companion, node)
        elif companion is None and node.tag in ("ib", "ack"):
            pass  # Telemetry and confirmations during the pairing.
        elif companion is None:
            log.warning("a client that is not logged in sent %s", node)
            self.unknown[node.tag] += 1
        else:
            handle = self._HANDLERS.get(node.tag)
            if handle is None:
                log.info("nobody knows %s", node)
                self.unknown[node.tag] += 1
            else:
                handle(self, companion, node)

    def _query(self, connection: Connection, companion: Companion | None, node: Node) -> None:
        kind = node.text("type")
        if kind in ("result", "error"):
            self.pairing.answered(connection, node)
            return
        if companion is None:
            answer = self.pairing.query(connection, node)
        else:
            answer = queries.answer(self, companion, node)
        connection.send(answer)
        if companion is not None and queries.activates(node):
            companion.activate()
            self.tell()

    def _message(self, companion: Companion, node: Node) -> None:
        to = node.address("to")
        if to is None:
            raise MalformedStanza("a message to nobody")
        refusal = self.faults.take_nack()
        acknowledgement = Node("ack", {"class": "message", "id": node.text("id"), "from": to, "t": _now()})
        if refusal is not None:
            acknowledgement.attributes["error"] = str(refusal)
        if not self.faults.swallows_ack():
            self._acknowledge(companion, acknowledgement)
        if refusal is None:
            self._distribute(companion, node, to)

    def _acknowledge(self, companion: Companion, node: Node) -> None:
        if self.faults.ack_delay_s:
            asyncio.get_running_loop().call_later(self.faults.ack_delay_s, companion.answer, node)
        else:
            companion.answer(node)

    def _distribute(self, companion: Companion, node: Node, to: Jid) -> None:
        participants = node.child("participants")
        if to.server == GROUP:
            self._to_group(companion, node, to)
            return
        if participants is None:
            # A message to one device: an answer to a retry receipt, or to the account's own phone.
            self._deliver(companion, node, to, node)
            return
        for target in participants.all("to"):
            address = target.address("jid")
            if address is not None:
                self._deliver(companion, node, address, target)

    def _to_group(self, companion: Companion, node: Node, to: Jid) -> None:
        """First the group's key, for each member apart, then the message, which is the same for all."""
        for target in (entry for part in node.all("participants") for entry in part.all("to")):
            address = target.address("jid")
            if address is not None:
                self._deliver(companion, node, address, target)
        group = self.groups.get(to)
        message = node.child("enc")
        if group is None or message is None:
            log.warning("a message to the group %s, which is not here", to)
            self.unknown["message to nobody"] += 1
            return
        asker = node.address("participant")
        for member in group.members if asker is None else [self.directory.find(asker)]:
            if member is not None and member.phone is not None:
                member.phone.deliver(companion, node, message)

    def _deliver(self, companion: Companion, node: Node, address: Jid, holder: Node) -> None:
        user = self.directory.find(address)
        encrypted = holder.child("enc")
        if user is None or encrypted is None:
            log.warning("a message for %s, who is not here", address)
            self.unknown["message to nobody"] += 1
        elif address.device == 0 and user.phone is not None:
            user.phone.deliver(companion, node, encrypted)

    def _receipt(self, companion: Companion, node: Node) -> None:
        to = node.address("to")
        if to is None:
            raise MalformedStanza("a receipt to nobody")
        stanza_id = node.text("id")
        attributes: dict[str, Attribute] = {"class": "receipt", "id": stanza_id, "from": to}
        if "type" in node.attributes:
            attributes["type"] = node.attributes["type"]
        companion.answer(Node("ack", attributes))
        companion.confirm("message", stanza_id, to)
        self.tell()
        member = node.address("participant")
        user = self.directory.find(to if member is None else member)
        if user is not None and user.phone is not None:
            user.phone.take_receipt(companion, node)

    def _ack(self, companion: Companion, node: Node) -> None:
        tag = node.text("class")
        kind = "" if tag == "message" else node.text("type")
        companion.confirm(tag, node.text("id"), node.address("to"), kind)
        self.tell()

    def _presence(self, companion: Companion, node: Node) -> None:
        kind = node.text("type", "available")
        if kind in ("available", "unavailable"):
            companion.is_available = kind == "available"
            self.tell()

    def _chatstate(self, companion: Companion, node: Node) -> None:
        to = node.address("to")
        user = None if to is None else self.directory.find(to)
        if user is not None and user.phone is not None:
            user.phone.take_chatstate(node)

    def _information(self, companion: Companion, node: Node) -> None:
        """Telemetry and notices of the client; nothing depends on them."""

    # --- What phones ask for --------------------------------------------------------------------------------

    def bundle_of(self, companion: Companion) -> PreKeyBundle:
        """Keys to write to a linked device first; the device is told when few are left."""
        bundle = companion.bundle()
        if len(companion.one_time) < FEW_PREKEYS and not companion.asked_for_prekeys:
            companion.asked_for_prekeys = True
            attributes: dict[str, Attribute] = {
                "from": SERVER,
                "id": self.number(),
                "type": "encrypt",
                "t": _now(),
            }
            count = Node("count", {"value": str(len(companion.one_time))})
            companion.push(Node("notification", attributes, [count]))
        return bundle

    def devices_of(self, user: User) -> list[Companion]:
        """The linked devices of a person; only the account has any."""
        return list(self.companions.values()) if user is self.account else []

    def link(self, companion: Companion) -> None:
        """A device was linked on the account's phone."""
        self.companions[companion.jid.device] = companion
        self.account.devices = [0, *self.companions]
        self.tell()

    def unlink(self, companion: Companion) -> None:
        """A device was removed, by itself or on the phone; its connection is told so."""
        self.companions.pop(companion.jid.device, None)
        self.account.devices = [0, *self.companions]
        if isinstance(companion.line, Connection):
            conflict = Node("conflict", {"type": "device_removed"})
            companion.line.part(Node("stream:error", {"code": "401"}, [conflict]))
        self.tell()

    def number(self) -> str:
        """An id for a stanza of the server's own."""
        return str(next(self._numbers))

    def tell(self) -> None:
        """Wake whoever waits for devices to come or go."""
        self.changed.set()
        self.changed = asyncio.Event()

    _HANDLERS: ClassVar[dict[str, Callable[[Network, Companion, Node], None]]] = {
        "message": _message,
        "receipt": _receipt,
        "ack": _ack,
        "presence": _presence,
        "chatstate": _chatstate,
        "ib": _information,
    }


def _now() -> str:
    return str(int(time.time()))
