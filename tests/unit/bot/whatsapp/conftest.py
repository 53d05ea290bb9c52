"""neonize's generated messages without its Go library, which no pure test needs."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

import pytest

from sandbox.whatsapp.protos import E2E, neonize_folder

FOLDER = neonize_folder()


@pytest.fixture(scope="module", autouse=True)
def protos() -> Iterator[Any]:
    """``neonize.proto.Neonize_pb2``, which the product imports when it needs it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, folder in (("neonize", ""), ("neonize.proto", "proto")):
            package = ModuleType(name)
            package.__path__ = [str(FOLDER / folder)]
            # Whoever asks where neonize is installed gets the same answer as ever.
            package.__spec__ = ModuleSpec(name, None, origin=str(FOLDER / folder / "__init__.py"))
            patch.setitem(sys.modules, name, package)
        module = importlib.import_module("neonize.proto.Neonize_pb2")
        yield module
        del sys.modules["neonize.proto.Neonize_pb2"]


@pytest.fixture
def jid(protos: Any) -> Callable[..., Any]:
    """``jid("62812…@s.whatsapp.net")``, and without an address an empty one, as neonize writes both."""

    def make(address: str = "", device: int = 0) -> Any:
        user, _, server = address.rpartition("@")
        return protos.JID(
            User=user, RawAgent=0, Device=device, Integrator=0, Server=server, IsEmpty=not address
        )

    return make


@pytest.fixture
def event(protos: Any, jid: Callable[..., Any]) -> Callable[..., bytes]:
    """``event(message, chat=…, sender=…, alternative=…)``: a message event's bytes."""

    def make(
        message: Any = None,
        *,
        chat: str = "111@lid",
        sender: str = "",
        alternative: str = "",
        recipient: str = "",
        own: bool = False,
        message_id: str = "M1",
        name: str = "Budi",
    ) -> bytes:
        source = protos.MessageSource(
            Chat=jid(chat),
            Sender=jid(sender or chat, device=3),
            IsFromMe=own,
            IsGroup=chat.endswith("@g.us"),
            SenderAlt=jid(alternative),
            RecipientAlt=jid(recipient),
            BroadcastListOwner=jid(),
        )
        info = protos.MessageInfo(
            MessageSource=source,
            ID=message_id,
            ServerID=0,
            Type="text",
            Pushname=name,
            Timestamp=1_700_000_000_000,
            Category="",
            Multicast=False,
            MediaType="",
            Edit="",
        )
        whole = protos.Message(
            Info=info,
            IsEphemeral=False,
            IsViewOnce=False,
            IsViewOnceV2=False,
            IsViewOnceV2Extension=False,
            IsDocumentWithCaption=False,
            IsLottieSticker=False,
            IsEdit=False,
            UnavailableRequestID="",
            RetryCount=0,
        )
        whole.Message.MergeFromString((message or E2E.Message(conversation="halo")).SerializeToString())
        return bytes(whole.SerializeToString())

    return make
