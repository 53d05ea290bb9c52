"""A server for tests that only use it, the first that there is: the one that ``WEAVIATE_URL`` names, a
container from ``compose.yaml``, or a process of our own.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sandbox.weaviate.binary import Say, find_or_build, say_on_stderr
from sandbox.weaviate.node import Ports, WeaviateNode

PROJECT = Path(__file__).resolve().parents[2]
# Pulling the image may be part of it.
_UP_S = 600


class Server(Protocol):
    """What its users need to know of a server."""

    @property
    def url(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def settings(self) -> dict[str, str]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Elsewhere:
    """A server that is no process of ours."""

    url: str
    grpc_port: str
    key: str

    @property
    def settings(self) -> dict[str, str]:
        """The settings with which Balas uses it."""
        return {
            "MEMORY": "weaviate",
            "WEAVIATE_URL": self.url,
            "WEAVIATE_GRPC_PORT": self.grpc_port,
            "WEAVIATE_API_KEY": self.key,
        }


@contextlib.contextmanager
def shared(say: Say = say_on_stderr) -> Iterator[Server]:
    """The server, for as long as the block runs. Raises ``WeaviateMissing``."""
    if url := os.environ.get("WEAVIATE_URL"):
        grpc_port = os.environ.get("WEAVIATE_GRPC_PORT", "50051")
        yield Elsewhere(url=url, grpc_port=grpc_port, key=os.environ.get("WEAVIATE_API_KEY", ""))
    elif container_engine_runs():
        with _container(say) as server:
            yield server
    else:
        with WeaviateNode(find_or_build(say)) as node:
            yield node


def container_engine_runs() -> bool:
    """Whether there is a container engine with its compose command, and somebody behind it."""
    if shutil.which("docker") is None:
        return False
    for command in (["docker", "compose", "version"], ["docker", "info"]):
        with contextlib.suppress(subprocess.TimeoutExpired):
            if subprocess.run(command, capture_output=True, check=False, timeout=20).returncode == 0:
                continue
        return False
    return True


@contextlib.contextmanager
def _container(say: Say) -> Iterator[Server]:
    ports, key = Ports.free(), secrets.token_hex(16)
    environment = {
        **os.environ,
        "WEAVIATE_PORT": str(ports.http),
        "WEAVIATE_GRPC_PORT": str(ports.grpc),
        "WEAVIATE_API_KEY": key,
    }
    # A project of its own: its volume is not the shop's, and goes with it.
    compose = ["docker", "compose", "--project-name", f"balas-test-{secrets.token_hex(4)}"]

    def run(*arguments: str) -> None:
        subprocess.run([*compose, *arguments], cwd=PROJECT, env=environment, check=True, timeout=_UP_S)

    say("starting the server in a container")
    try:
        run("up", "--detach", "--wait")
        yield Elsewhere(url=f"http://127.0.0.1:{ports.http}", grpc_port=str(ports.grpc), key=key)
    finally:
        run("down", "--volumes", "--timeout", "90")
