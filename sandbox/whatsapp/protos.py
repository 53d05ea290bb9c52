"""WhatsApp's protocol buffers, as neonize ships them, without loading neonize's Go library.

``import neonize`` loads the shared library with its Go runtime (63 MB, threads, signal handlers), which a
server process never uses. The generated modules import each other by their folder names (``waE2E`` and so
on), so the folder that holds them is put on the path and they are imported from there; when neonize is loaded
in the same process, before or after, it does just that and both share the modules.

The generated code was made for a newer protobuf than the one pinned here (see requirements.txt), so its
version check must be off before the first of them is imported.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TEMPORARILY_DISABLE_PROTOBUF_VERSION_CHECK", "true")


def neonize_folder() -> Path:
    """Where neonize is installed; found without importing it."""
    spec = importlib.util.find_spec("neonize")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("neonize is not installed; run scripts/setup.sh")
    return Path(spec.origin).parent


def _load(name: str) -> Any:
    folder = str(neonize_folder() / "proto")
    if folder not in sys.path:
        # At the end: a folder of generated code must not hide anybody's modules.
        sys.path.append(folder)
    return importlib.import_module(name)


# Generated code: the messages are made at run time, so the types are Any here and the names WhatsApp's own.
ADV: Any = _load("waAdv.WAAdv_pb2")
CERTIFICATE: Any = _load("waCert.WACert_pb2")
E2E: Any = _load("waE2E.WAWebProtobufsE2E_pb2")
HISTORY: Any = _load("waHistorySync.WAWebProtobufsHistorySync_pb2")
SYNC: Any = _load("waServerSync.WAWebProtobufsServerSync_pb2")
SYNC_ACTION: Any = _load("waSyncAction.WAWebProtobufSyncAction_pb2")
WA6: Any = _load("waWa6.WAWebProtobufsWa6_pb2")
