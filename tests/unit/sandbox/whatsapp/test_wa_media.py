"""Files are encrypted as WhatsApp does it, and what was changed on the way is noticed."""

from __future__ import annotations

import hashlib
import ssl

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.whatsapp import contents
from sandbox.whatsapp.authority import Authority
from sandbox.whatsapp.media import MediaBroken, seal, unseal
from sandbox.whatsapp.mediahost import MediaHost

KINDS = ["image", "sticker", "video", "audio", "document"]


@given(st.sampled_from(KINDS), st.binary(max_size=200))
def test_a_file_is_opened_as_it_was_sealed(kind: str, data: bytes) -> None:
    sealed = seal(kind, data)
    assert unseal(kind, sealed.data, key=sealed.key, plain_hash=sealed.plain_hash) == data
    assert sealed.sealed_hash == hashlib.sha256(sealed.data).digest()
    assert sealed.length == len(data)


@given(st.binary(min_size=1, max_size=100), st.data())
def test_a_file_that_was_changed_is_refused(data: bytes, draw: st.DataObject) -> None:
    sealed = seal("image", data)
    place = draw.draw(st.integers(0, len(sealed.data) - 1))
    changed = bytearray(sealed.data)
    changed[place] ^= 1
    with pytest.raises(MediaBroken):
        unseal("image", bytes(changed), key=sealed.key, plain_hash=sealed.plain_hash)


def test_the_kind_of_the_file_is_part_of_its_key_and_another_file_is_noticed() -> None:
    sealed = seal("image", b"data", key=bytes(32))
    with pytest.raises(MediaBroken, match="key"):
        unseal("audio", sealed.data, key=sealed.key, plain_hash=sealed.plain_hash)
    with pytest.raises(MediaBroken, match="speaks of"):
        unseal("image", sealed.data, key=sealed.key, plain_hash=bytes(32))


async def test_the_host_keeps_files_and_is_believed_only_by_who_trusts_its_authority() -> None:
    authority = Authority()
    host = MediaHost()
    await host.start(authority.server_context())
    try:
        path = host.store(b"sealed bytes")
        trusting = ssl.create_default_context(cadata=authority.root_pem.decode())
        async with aiohttp.ClientSession() as session:
            address = f"https://{host.address}"
            async with session.get(f"{address}{path}&hash=x", ssl=trusting) as answer:
                assert await answer.read() == b"sealed bytes"
            async with session.get(f"{address}/v/nothing", ssl=trusting) as answer:
                assert answer.status == 404
            async with session.post(f"{address}/mms/image/token", data=b"new", ssl=trusting) as answer:
                assert host.fetch((await answer.json())["direct_path"]) == b"new"
            host.failing = 410
            async with session.get(f"{address}{path}", ssl=trusting) as answer:
                assert answer.status == 410
            with pytest.raises(aiohttp.ClientConnectorCertificateError):
                await session.get(f"{address}{path}")
    finally:
        await host.stop()


@pytest.mark.parametrize("kind", [*KINDS, "voice"])
def test_a_message_says_where_its_file_lies(kind: str) -> None:
    sealed = seal("audio" if kind == "voice" else kind, b"data")
    message = contents.file(kind, sealed, "/v/x?", mime="application/x")
    found, place = contents.file_in(message)
    assert found == ("audio" if kind == "voice" else kind)
    assert (place.directPath, place.mediaKey) == ("/v/x?", sealed.key)
    assert contents.stanza_type(message) == "media"
    assert (contents.media_type(message) == "ptt") == (kind == "voice")
