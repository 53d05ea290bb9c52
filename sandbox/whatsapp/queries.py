"""Answers to a linked device's queries (``iq``), by namespace and first child."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox.whatsapp.binary import Attribute, Node
from sandbox.whatsapp.companion import Companion
from sandbox.whatsapp.directory import User
from sandbox.whatsapp.jid import LEGACY, PHONE, SERVER, Jid
from sandbox.whatsapp.signal import PreKeyBundle

if TYPE_CHECKING:
    from sandbox.whatsapp.network import Network

log = logging.getLogger(__name__)

Answer = list[Node]
Handler = Callable[["Network", Companion, Node], Answer]

_DJB_TYPE = b"\x05"
_PRIVACY = ("readreceipts", "profile", "status", "online", "last", "groupadd", "calladd")


class Refused(Exception):
    """The query is answered with an error of this code and text."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


def answer(network: Network, companion: Companion, query: Node) -> Node:
    """The stanza that answers the query; an empty result to what nobody knows, so that no client waits in
    vain.
    """
    name = f"{query.text('xmlns')} {query.children[0].tag if query.children else ''}".strip()
    handler = _HANDLERS.get(name)
    attributes: dict[str, Attribute] = {"from": SERVER, "type": "result", "id": query.text("id")}
    if handler is None:
        log.info("nobody knows the query %s", query)
        network.unknown[f"iq {name}"] += 1
        return Node("iq", attributes)
    try:
        content = handler(network, companion, query)
    except Refused as exc:
        attributes["type"] = "error"
        return Node("iq", attributes, [Node("error", {"code": str(exc.code), "text": exc.text})])
    return Node("iq", attributes, content or None)


def activates(query: Node) -> bool:
    """Whether with this query the device says that it is ready for stanzas."""
    return query.text("xmlns") == "passive" and query.child("active") is not None


def _nothing(network: Network, companion: Companion, query: Node) -> Answer:
    return []


# --- Keys ---------------------------------------------------------------------------------------------------


def _count(network: Network, companion: Companion, query: Node) -> Answer:
    return [Node("count", {"value": str(len(companion.one_time))})]


def _upload(network: Network, companion: Companion, query: Node) -> Answer:
    prekeys = [(_number(key), key.find("value").data) for key in query.find("list").all("key")]
    signed = query.find("skey")
    companion.upload(prekeys, (_number(signed), signed.find("value").data, signed.find("signature").data))
    return []


def _number(key: Node) -> int:
    return int.from_bytes(key.find("id").data, "big")


def _keys(network: Network, companion: Companion, query: Node) -> Answer:
    return [Node("list", {}, [_keys_of(network, user) for user in query.find("key").all("user")])]


def _keys_of(network: Network, request: Node) -> Node:
    jid = request.address("jid")
    user = None if jid is None else network.directory.find(jid)
    bundle = None
    if user is not None and jid is not None:
        if jid.device == 0:
            bundle = user.phone.bundle() if user.phone is not None else None
        elif user is network.account and jid.device in network.companions:
            bundle = network.bundle_of(network.companions[jid.device])
    attributes: dict[str, Attribute] = {} if jid is None else {"jid": jid}
    if bundle is None:
        return Node("user", attributes, [Node("error", {"code": "404", "text": "item-not-found"})])
    return Node("user", attributes, bundle_nodes(bundle))


def bundle_nodes(bundle: PreKeyBundle) -> list[Node]:
    """Public keys as stanzas carry them."""
    nodes = [
        Node("registration", {}, bundle.registration_id.to_bytes(4, "big")),
        Node("type", {}, _DJB_TYPE),
        Node("identity", {}, bundle.identity),
        Node(
            "skey",
            {},
            [
                Node("id", {}, bundle.signed_id.to_bytes(3, "big")),
                Node("value", {}, bundle.signed_public),
                Node("signature", {}, bundle.signature),
            ],
        ),
    ]
    if bundle.one_time_id is not None and bundle.one_time_public is not None:
        number = Node("id", {}, bundle.one_time_id.to_bytes(3, "big"))
        nodes.append(Node("key", {}, [number, Node("value", {}, bundle.one_time_public)]))
    return nodes


# --- People -------------------------------------------------------------------------------------------------


def _usync(network: Network, companion: Companion, query: Node) -> Answer:
    """What the device wants to know (protocols) about whom (list)."""
    request = query.find("usync")
    protocols = [node.tag for node in request.find("query").children]
    users = [_about(network, protocols, user) for user in request.find("list").all("user")]
    sid = request.text("sid")
    echoed = {
        name: value
        for name, value in request.attributes.items()
        if name in ("index", "last", "context", "mode")
    }
    result = Node("result", {}, [Node(protocol) for protocol in protocols])
    return [Node("usync", {**echoed, "sid": sid}, [result, Node("list", {}, users)])]


def _about(network: Network, protocols: list[str], request: Node) -> Node:
    jid = request.address("jid")
    contact = request.child("contact")
    asked = contact.data if contact is not None else None
    if jid is None and asked is not None:
        jid = Jid(asked.decode().removesuffix(f"@{LEGACY}").lstrip("+"), PHONE)
    user = None if jid is None else network.directory.find(jid)
    attributes: dict[str, Attribute] = {}
    if jid is not None:
        attributes["jid"] = jid
    if user is not None and asked is not None:
        attributes |= {"jid": user.lid, "pn_jid": user.jid}
    about = [
        _PROTOCOLS[protocol](user)
        for protocol in protocols
        if protocol in _PROTOCOLS and protocol != "contact"
    ]
    if asked is not None:
        about.append(Node("contact", {"type": "in" if user else "out"}, asked))
    return Node("user", attributes, about)


def _devices(user: User | None) -> Node:
    numbers = [] if user is None else user.devices
    return Node("devices", {}, [Node("device-list", {}, [_device(number) for number in numbers])])


def _device(number: int) -> Node:
    attributes: dict[str, Attribute] = {"id": str(number)}
    if number:
        attributes["key-index"] = str(number)
    return Node("device", attributes)


def _lid(user: User | None) -> Node:
    return Node("lid", {} if user is None else {"val": user.lid})


_PROTOCOLS: dict[str, Callable[[User | None], Node]] = {
    "devices": _devices,
    "lid": _lid,
    "business": lambda _user: Node("business"),
    "status": lambda _user: Node("status"),
    "picture": lambda _user: Node("picture"),
    "disappearing_mode": lambda _user: Node("disappearing_mode", {"duration": "0", "t": "0"}),
    "username": lambda _user: Node("username"),
}


def _privacy(network: Network, companion: Companion, query: Node) -> Answer:
    categories = [Node("category", {"name": name, "value": "all"}) for name in _PRIVACY]
    return [Node("privacy", {}, categories)]


def _blocklist(network: Network, companion: Companion, query: Node) -> Answer:
    return [Node("list", {"dhash": "0"}, [])]


def _picture(network: Network, companion: Companion, query: Node) -> Answer:
    raise Refused(404, "item-not-found")


# --- Groups ------------------------------------------------------------------------------------------


def _group(network: Network, companion: Companion, query: Node) -> Answer:
    to = query.address("to")
    group = None if to is None else network.groups.get(to)
    if group is None:
        raise Refused(404, "item-not-found")
    if network.account not in group.members:
        raise Refused(403, "forbidden")
    return [group.node()]


def _groups(network: Network, companion: Companion, query: Node) -> Answer:
    own = [group.node() for group in network.groups.values() if network.account in group.members]
    return [Node("groups", {}, own)]


# --- The rest -----------------------------------------------------------------------------------------------


def _shared(network: Network, companion: Companion, query: Node) -> Answer:
    """Settings that devices share: changes are taken, and those given that the device does not have."""
    return [Node("sync", {}, [_collection(network, node) for node in query.find("sync").all("collection")])]


def _collection(network: Network, request: Node) -> Node:
    name = request.text("name")
    for patch in request.all("patch"):
        network.shared.append(name, patch.data)
    known = int(request.text("version", "0"))
    patches = [] if request.child("patch") else network.shared.since(name, known)
    attributes: dict[str, Attribute] = {"name": name, "version": str(network.shared.version(name))}
    nodes = [Node("patch", {}, patch) for patch in patches]
    return Node("collection", attributes, [Node("patches", {}, nodes)] if nodes else None)


def _media_connection(network: Network, companion: Companion, query: Node) -> Answer:
    attributes: dict[str, Attribute] = {
        "auth": "sandbox",
        "ttl": "3600",
        "auth_ttl": "21600",
        "max_buckets": "12",
    }
    return [Node("media_conn", attributes, [Node("host", {"hostname": network.media.address})])]


def _unlink(network: Network, companion: Companion, query: Node) -> Answer:
    network.unlink(companion)
    return []


_HANDLERS: dict[str, Handler] = {
    "encrypt count": _count,
    "encrypt key": _keys,
    # An upload names the registration first.
    "encrypt registration": _upload,
    "encrypt rotate": _nothing,
    "usync usync": _usync,
    "passive active": _nothing,
    "passive passive": _nothing,
    "w:p": _nothing,
    "w:p ping": _nothing,
    "urn:xmpp:ping ping": _nothing,
    "privacy privacy": _privacy,
    "privacy tokens": _nothing,
    "blocklist": _blocklist,
    "w:profile:picture picture": _picture,
    "w:sync:app:state sync": _shared,
    "w:g2 query": _group,
    "w:g2 participating": _groups,
    "w:m media_conn": _media_connection,
    "md remove-companion-device": _unlink,
}
