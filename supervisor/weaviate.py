"""``python -m supervisor.weaviate`` becomes the Weaviate server of the settings, where no container is.

Supervisor runs it beside the bot. The program ``weaviate-server`` has to be in PATH; ``.env`` alone knows the
key, which therefore stands in no configuration. Where another host or a container has the server, or the
memory is the embedded one, there is nothing to run: exit code 0, which Supervisor leaves alone.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import NoReturn

from config.environment import is_loopback
from config.errors import ConfigError
from config.memory import MemoryKind, MemorySettings
from config.settings import Settings

PROGRAM = "weaviate-server"
DONE, MISCONFIGURED = 0, 78
_USER = "balas"
# What ends sooner than Supervisor's startsecs is a failed start to it, whatever the exit code.
_LONGER_THAN_A_START_S = 2.0


def main() -> int:
    """Become the server; the exit code when there is none to become."""
    try:
        settings = Settings.load()
    except ConfigError as exc:
        return _refuse(f"please change these settings:\n{exc}")
    memory = settings.memory
    if memory.kind is not MemoryKind.WEAVIATE:
        return _leave("MEMORY is not weaviate")
    if len(memory.weaviate_hosts) > 1 or not is_loopback(memory.weaviate_hosts[0].name):
        return _leave("WEAVIATE_URL names a server elsewhere")
    if (program := shutil.which(PROGRAM)) is None:
        return _leave(f"{PROGRAM} is not installed here, so a container is expected to serve")
    if memory.weaviate_key is None:
        return _refuse("WEAVIATE_API_KEY is empty, and without a key anybody here could read all chats")
    data = (settings.state_dir / "weaviate").absolute()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return _become(program, memory, data)


def _become(program: str, memory: MemorySettings, data: Path) -> NoReturn:
    port = str(memory.weaviate_hosts[0].port)
    arguments = [PROGRAM, "--scheme", "http", "--host", "127.0.0.1", "--port", port]
    os.execve(program, arguments, {**os.environ, **environment(memory, data)})


def environment(memory: MemorySettings, data: Path) -> dict[str, str]:
    """What makes the server one loopback node with this key. Two of its ports, gRPC's and 7947 of the nodes
    among themselves, take every address of the host whatever is set: the key guards them, and so does a
    firewall."""
    assert memory.weaviate_key is not None
    return {
        "PERSISTENCE_DATA_PATH": str(data),
        "GRPC_PORT": str(memory.weaviate_hosts[0].grpc_port),
        "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
        "AUTHENTICATION_APIKEY_ENABLED": "true",
        "AUTHENTICATION_APIKEY_ALLOWED_KEYS": memory.weaviate_key.reveal(),
        "AUTHENTICATION_APIKEY_USERS": _USER,
        # Without these anybody who reaches the nodes' own port reads and writes everything there.
        "CLUSTER_BASIC_AUTH_USERNAME": _USER,
        "CLUSTER_BASIC_AUTH_PASSWORD": memory.weaviate_key.reveal(),
        "AUTHORIZATION_ADMINLIST_ENABLED": "true",
        "AUTHORIZATION_ADMINLIST_USERS": _USER,
        # Without a fixed name the server would not know its own data after a change of the host's.
        "CLUSTER_HOSTNAME": "node1",
        "CLUSTER_IN_LOCALHOST": "true",
        "CLUSTER_BIND_ADDR": "127.0.0.1",
        "CLUSTER_ADVERTISE_ADDR": "127.0.0.1",
        "RAFT_BOOTSTRAP_EXPECT": "1",
        "AUTOSCHEMA_ENABLED": "false",
        "API_BASED_MODULES_DISABLED": "true",
        "DEFAULT_VECTORIZER_MODULE": "none",
        "DISABLE_TELEMETRY": "true",
        "GO_PROFILING_DISABLE": "true",
        "GOMEMLIMIT": "1500MiB",
        # So many candidates each half of a hybrid search brings, instead of 100: Balas looks at no more.
        "QUERY_HYBRID_MAXIMUM_RESULTS": "30",
    }


def _leave(reason: str) -> int:
    print(f"No Weaviate server to run here: {reason}.", file=sys.stderr)
    time.sleep(_LONGER_THAN_A_START_S)
    return DONE


def _refuse(reason: str) -> int:
    print(f"Weaviate cannot start: {reason}", file=sys.stderr)
    return MISCONFIGURED


if __name__ == "__main__":
    sys.exit(main())
