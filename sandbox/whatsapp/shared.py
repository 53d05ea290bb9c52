"""Settings that the devices of an account share ("app state"): encrypted changes in numbered order.

The server sees only numbers and ciphertext. The phone's own name stands in here, and a linked device that was
never told it can't show itself as online.
"""

from __future__ import annotations

import hmac
import json
import os
import struct
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.padding import PKCS7

from sandbox.whatsapp.protos import SYNC, SYNC_ACTION

# The collection that holds the account's name, and what the setting is called in it.
CRITICAL = "critical_block"
NAME_SETTING = "setting_pushName"


@dataclass(frozen=True, kw_only=True)
class SharedKey:
    """A key that the phone gives to every device it links."""

    id: bytes
    data: bytes

    @classmethod
    def generate(cls) -> SharedKey:
        return cls(id=os.urandom(6), data=os.urandom(32))


class Collections:
    """Every collection's changes, oldest first; change number n has version n + 1."""

    def __init__(self) -> None:
        self._changes: dict[str, list[bytes]] = {}

    def append(self, name: str, change: bytes) -> int:
        """Take a device's change; the collection's version now."""
        changes = self._changes.setdefault(name, [])
        numbered = SYNC.SyncdPatch.FromString(change)
        numbered.version.version = len(changes) + 1
        changes.append(numbered.SerializeToString())
        return len(changes)

    def since(self, name: str, version: int) -> list[bytes]:
        return self._changes.get(name, [])[version:]

    def version(self, name: str) -> int:
        return len(self._changes.get(name, []))


def naming(name: str, key: SharedKey, timestamp_ms: int) -> bytes:
    """The first change of the collection CRITICAL: the account's name."""
    value = SYNC_ACTION.SyncActionValue(timestamp=timestamp_ms)
    value.pushNameSetting.name = name
    return _first_change(CRITICAL, [NAME_SETTING], value, key)


def _first_change(collection: str, index: list[str], value: Any, key: SharedKey) -> bytes:
    """A change of an empty collection: encrypted, and authenticated at every level as devices check it."""
    expanded = _hkdf(key.data, b"WhatsApp Mutation Keys", 160)
    keys = (expanded[start : start + 32] for start in range(0, 160, 32))
    for_index, for_value, value_mac, snapshot_mac, patch_mac = keys
    written = json.dumps(index, separators=(",", ":")).encode()
    action = SYNC_ACTION.SyncActionData(index=written, value=value, padding=b"", version=1)
    body = _encrypt(for_value, action.SerializeToString())
    # 1 stands for "set"; the last eight bytes are the length of the key's id and of that one byte.
    associated = b"\x01" + key.id
    mac = hmac.digest(value_mac, associated + body + struct.pack(">Q", len(associated)), "sha512")[:32]

    patch = SYNC.SyncdPatch()
    patch.version.version = 1
    patch.keyID.ID = key.id
    mutation = patch.mutations.add()
    mutation.operation = SYNC.SyncdMutation.SET
    mutation.record.index.blob = hmac.digest(for_index, written, "sha256")
    mutation.record.value.blob = body + mac
    mutation.record.keyID.ID = key.id
    tail = struct.pack(">Q", 1) + collection.encode()
    # The hash of a collection is the sum of its values' hashes; of one value it is that value's own.
    hashed = _hkdf(mac, b"WhatsApp Patch Integrity", 128)
    patch.snapshotMAC = hmac.digest(snapshot_mac, hashed + tail, "sha256")
    patch.patchMAC = hmac.digest(patch_mac, patch.snapshotMAC + mac + tail, "sha256")
    return bytes(patch.SerializeToString())


def _hkdf(secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


def _encrypt(key: bytes, data: bytes) -> bytes:
    iv = os.urandom(16)
    padder = PKCS7(128).padder()
    encryptor = Cipher(AES(key), CBC(iv)).encryptor()
    return iv + encryptor.update(padder.update(data) + padder.finalize()) + encryptor.finalize()
