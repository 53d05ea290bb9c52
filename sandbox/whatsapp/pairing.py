"""Linking a device: what the server offers to a client without a session, and what the phone makes of it."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.whatsapp.adv import LinkingCode, PairingRefused, check_device, vouch
from sandbox.whatsapp.binary import Attribute, Node
from sandbox.whatsapp.companion import Companion
from sandbox.whatsapp.connection import Connection
from sandbox.whatsapp.jid import SERVER
from sandbox.whatsapp.linking import Exchange, normalised, unwrap, wrap
from sandbox.whatsapp.protos import WA6
from sandbox.whatsapp.signal import KeyPair

if TYPE_CHECKING:
    from sandbox.whatsapp.network import Network

# WhatsApp gives six: whatsmeow shows the first for 60 s and the others for 20 s each, then gives up. Of fewer
# each lasts 20 s, and with none the client has nothing to show and gives up at once.
CODES = 6


@dataclass(kw_only=True, eq=False)
class Applicant:
    """A client without a session, and what it told about itself."""

    connection: Connection
    registration_id: int
    identity: bytes
    signed: tuple[int, bytes, bytes]
    references: list[str] = field(default_factory=list)
    # Set while the phone waits for the device's own signature.
    companion: Companion | None = None
    account: bytes = b""
    request_id: str = ""
    outcome: asyncio.Future[Companion] | None = None
    # With a code that is typed into the phone: for which number, the device's ephemeral key under the code,
    # and what the device answers to ours (its bundle).
    number: str = ""
    wrapped_ephemeral: bytes = b""
    code_reference: bytes = b""
    bundle: asyncio.Future[bytes] | None = None


class Pairing:
    """All clients that wait to be linked."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.codes = CODES
        self._applicants: dict[Connection, Applicant] = {}
        self._by_reference: dict[str, Applicant] = {}

    def offer(self, connection: Connection, data: WA6.ClientPayload.DevicePairingRegistrationData) -> None:
        """Give a registering client what it shows as QR codes."""
        applicant = Applicant(
            connection=connection,
            registration_id=int.from_bytes(data.eRegid, "big"),
            identity=data.eIdent,
            signed=(int.from_bytes(data.eSkeyID, "big"), data.eSkeyVal, data.eSkeySig),
            references=[f"2@{base64.b64encode(os.urandom(48)).decode()}" for _ in range(self.codes)],
        )
        self._applicants[connection] = applicant
        for reference in applicant.references:
            self._by_reference[reference] = applicant
        offer = Node("pair-device", {}, [Node("ref", {}, ref.encode()) for ref in applicant.references])
        attributes: dict[str, Attribute] = {
            "from": SERVER,
            "type": "set",
            "id": self._network.number(),
            "xmlns": "md",
        }
        connection.send(Node("iq", attributes, [offer]))

    def forget(self, connection: Connection) -> None:
        applicant = self._applicants.pop(connection, None)
        if applicant is None:
            return
        for reference in applicant.references:
            self._by_reference.pop(reference, None)
        for waiting in (applicant.outcome, applicant.bundle):
            if waiting is not None and not waiting.done():
                waiting.set_exception(PairingRefused("the device left during the pairing"))

    async def scan(self, text: str, account: KeyPair) -> Companion:
        """Link the device that shows this code; done once the device signed. Raises PairingRefused."""
        code = LinkingCode.from_qr(text)
        applicant = self._by_reference.get(code.reference)
        if applicant is None:
            raise PairingRefused("the server knows nothing of this code; it may have expired")
        if (
            applicant.connection.noise_public != code.noise_public
            or applicant.identity != code.identity_public
        ):
            raise PairingRefused("the code shows other keys than the device has")
        return await self.complete(applicant, account, code.secret)

    async def enter_code(self, code: str, number: str, account: KeyPair) -> Companion:
        """Link the device that asked for a code for this number. Raises PairingRefused."""
        plain = normalised(code)
        waiting = [one for one in self._applicants.values() if one.number == number]
        if not waiting:
            raise PairingRefused(f"no device asked for a code for {number}")
        applicant = waiting[-1]
        # The derivation takes a tenth of a second; the server goes on meanwhile.
        ephemeral = KeyPair.generate()
        theirs = await asyncio.to_thread(unwrap, plain, applicant.wrapped_ephemeral)
        wrapped = await asyncio.to_thread(wrap, plain, ephemeral.public)
        applicant.bundle = asyncio.get_running_loop().create_future()
        attributes: dict[str, Attribute] = {
            "from": SERVER,
            "id": self._network.number(),
            "type": "link_code_companion_reg",
            "t": str(int(time.time())),
        }
        content = [
            Node("link_code_pairing_ref", {}, applicant.code_reference),
            Node("link_code_pairing_wrapped_primary_ephemeral_pub", {}, wrapped),
            Node("primary_identity_pub", {}, account.public),
        ]
        step: dict[str, Attribute] = {"stage": "primary_hello"}
        applicant.connection.send(
            Node("notification", attributes, [Node("link_code_companion_reg", step, content)])
        )
        bundle = await applicant.bundle
        exchange = Exchange(ephemeral=ephemeral, device_ephemeral=theirs)
        secret = exchange.secret(bundle, account=account, device_identity=applicant.identity)
        return await self.complete(applicant, account, secret)

    async def complete(self, applicant: Applicant, account: KeyPair, secret: bytes) -> Companion:
        """Vouch for the device and wait for its signature. Raises PairingRefused."""
        network = self._network
        device = max(network.companions, default=0) + 1
        companion = Companion(
            jid=network.account.jid.with_device(device),
            lid=network.account.lid.with_device(device),
            noise_public=applicant.connection.noise_public,
            identity=applicant.identity,
            registration_id=applicant.registration_id,
            signed=applicant.signed,
        )
        identity = vouch(
            account=account,
            device_identity=applicant.identity,
            secret=secret,
            key_index=device,
            raw_id=1,
            timestamp_s=int(time.time()),
        )
        applicant.companion = companion
        applicant.account = account.public
        applicant.request_id = network.number()
        applicant.outcome = asyncio.get_running_loop().create_future()
        applicant.connection.send(
            Node(
                "iq",
                {
                    "from": SERVER,
                    "type": "set",
                    "id": applicant.request_id,
                    "xmlns": "md",
                    "t": str(int(time.time())),
                },
                [
                    Node(
                        "pair-success",
                        {},
                        [
                            Node("device-identity", {}, identity),
                            Node("device", {"jid": companion.jid, "lid": companion.lid}),
                            Node("platform", {"name": "android"}),
                        ],
                    )
                ],
            )
        )
        return await applicant.outcome

    def answered(self, connection: Connection, node: Node) -> None:
        """The device's answer to ``pair-success``: its signature, or why it refuses."""
        applicant = self._applicants.get(connection)
        if applicant is None or node.text("id") != applicant.request_id:
            return
        outcome, companion = applicant.outcome, applicant.companion
        if outcome is None or companion is None or outcome.done():
            return
        if node.text("type") == "error":
            outcome.set_exception(PairingRefused(f"the device refuses: {node}"))
            return
        try:
            signed = node.find("pair-device-sign", "device-identity").data
            check_device(signed, account=applicant.account, device_identity=applicant.identity)
        except ValueError as exc:
            outcome.set_exception(exc)
            return
        self._network.link(companion)
        outcome.set_result(companion)
        # The device has to come again, logging in with its new address.
        connection.part(Node("stream:error", {"code": "515"}))

    def query(self, connection: Connection, node: Node) -> Node:
        """A query of a client that is not linked yet: the steps of linking by code."""
        attributes: dict[str, Attribute] = {"from": SERVER, "type": "result", "id": node.text("id")}
        applicant = self._applicants.get(connection)
        step = node.child("link_code_companion_reg")
        if applicant is None or step is None:
            return Node("iq", attributes)
        if step.text("stage") == "companion_finish":
            if applicant.bundle is not None and not applicant.bundle.done():
                applicant.bundle.set_result(step.find("link_code_pairing_wrapped_key_bundle").data)
            return Node("iq", attributes)
        jid = step.address("jid")
        applicant.number = jid.user if jid is not None else ""
        applicant.wrapped_ephemeral = step.find("link_code_pairing_wrapped_companion_ephemeral_pub").data
        applicant.code_reference = os.urandom(24)
        content = [Node("link_code_pairing_ref", {}, applicant.code_reference)]
        return Node(
            "iq", attributes, [Node("link_code_companion_reg", {"stage": "companion_hello"}, content)]
        )
