"""One Weaviate node as a child process: own loopback ports, own folder, ended by its own process id."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox.parent import end_with_parent

KEY = "kunci-weaviate-uji"
_USER = "balas"
START_S = 120.0
# A stop in good order writes everything down first.
STOP_S = 90.0
# Outside the range from which the system gives out ports by itself: a node that is started again needs its
# old ones, and a connection of somebody else's must not have taken one meanwhile.
_LOWEST, _HIGHEST = 15_000, 32_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Ports:
    """The ports of one node. Weaviate wants ``data`` right behind ``gossip``."""

    http: int
    grpc: int
    gossip: int
    raft: int
    raft_rpc: int

    @property
    def data(self) -> int:
        return self.gossip + 1

    @classmethod
    def free(cls) -> Self:
        """Six ports that nobody uses now."""
        first = _free_row(6)
        return cls(http=first, grpc=first + 1, gossip=first + 2, raft=first + 4, raft_rpc=first + 5)


class WeaviateNode:
    """``start`` and ``stop`` may alternate: the data stays until ``remove``."""

    def __init__(
        self,
        program: Path,
        *,
        folder: Path | None = None,
        name: str = "node1",
        ports: Ports | None = None,
        cluster: dict[str, str] | None = None,
    ) -> None:
        """``folder`` keeps the data; without one it is temporary. ``cluster`` makes it one of several."""
        self._program = program
        self._temporary = folder is None
        self.folder = Path(tempfile.mkdtemp(prefix="balas-weaviate-")) if folder is None else folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.ports = ports or Ports.free()
        self._cluster = cluster or {"RAFT_BOOTSTRAP_EXPECT": "1"}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.remove()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.http}"

    @property
    def key(self) -> str:
        return KEY

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def settings(self) -> dict[str, str]:
        """The settings with which Balas uses this node."""
        return {
            "MEMORY": "weaviate",
            "WEAVIATE_URL": self.url,
            "WEAVIATE_GRPC_PORT": str(self.ports.grpc),
            "WEAVIATE_API_KEY": KEY,
        }

    def launch(self) -> None:
        """Start the process without waiting until it is ready.

        Only from a thread that lives as long as the node is to: the kernel ends it together with that.
        """
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._program, "--scheme", "http"),
                    *("--host", "127.0.0.1", "--port", str(self.ports.http)),
                ],
                cwd=self.folder,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A ^C in the terminal is for whoever started us; it then stops the node in good order.
                start_new_session=True,
                preexec_fn=end_with_parent,
            )

    def start(self) -> None:
        """Start the node and wait until it is ready."""
        self.launch()
        self.wait_ready()

    def wait_ready(self, timeout_s: float = START_S) -> None:
        """Return once the node serves; raises RuntimeError with its log when it ended or takes too long."""
        assert self._process is not None
        deadline = time.monotonic() + timeout_s
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "server.log").read_text(errors="replace")
                self.kill()
                raise RuntimeError(f"Weaviate did not start:\n{log[-3000:]}")
            time.sleep(0.1)

    def has_ended(self, wait_s: float) -> bool:
        """Whether its process is over, after waiting so long for that."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(wait_s)
        return self._process.poll() is not None

    def is_ready(self) -> bool:
        """Whether it says so itself."""
        # Never through a proxy that is set for the outside world.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.url}/v1/.well-known/ready", timeout=2) as answer:
                return int(answer.status) == 200
        except (OSError, urllib.error.URLError):
            return False

    def stop(self) -> None:
        """End the node in good order."""
        if self._process is None:
            return
        if self._process.poll() is None:
            # A frozen one would never hear it.
            self._process.send_signal(signal.SIGCONT)
            self._process.terminate()
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._process = None

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it hold its connections and answer nothing (SIGSTOP)."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after ``freeze``; one that runs, or is dead, stays as it is."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        """End it and delete its data, when the folder is temporary."""
        if self._temporary:
            # What it would still write down is deleted anyway.
            self.kill()
            shutil.rmtree(self.folder, ignore_errors=True)
        else:
            self.stop()

    def _environment(self) -> dict[str, str]:
        passed = {key: value for key, value in os.environ.items() if key in ("PATH", "HOME", "TMPDIR")}
        return {
            **passed,
            "PERSISTENCE_DATA_PATH": str(self.folder / "data"),
            "AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED": "false",
            "AUTHENTICATION_APIKEY_ENABLED": "true",
            "AUTHENTICATION_APIKEY_ALLOWED_KEYS": KEY,
            "AUTHENTICATION_APIKEY_USERS": _USER,
            "AUTHORIZATION_ADMINLIST_ENABLED": "true",
            "AUTHORIZATION_ADMINLIST_USERS": _USER,
            "CLUSTER_HOSTNAME": self.name,
            "CLUSTER_IN_LOCALHOST": "true",
            "CLUSTER_BIND_ADDR": "127.0.0.1",
            "CLUSTER_ADVERTISE_ADDR": "127.0.0.1",
            "CLUSTER_GOSSIP_BIND_PORT": str(self.ports.gossip),
            "CLUSTER_DATA_BIND_PORT": str(self.ports.data),
            "RAFT_PORT": str(self.ports.raft),
            "RAFT_INTERNAL_RPC_PORT": str(self.ports.raft_rpc),
            "GRPC_PORT": str(self.ports.grpc),
            "GO_PROFILING_DISABLE": "true",
            "PROMETHEUS_MONITORING_ENABLED": "false",
            "DISABLE_TELEMETRY": "true",
            "AUTOSCHEMA_ENABLED": "false",
            "API_BASED_MODULES_DISABLED": "true",
            "DEFAULT_VECTORIZER_MODULE": "none",
            "GOMEMLIMIT": "1500MiB",
            # As the product's own servers have it, see supervisor/weaviate.py.
            "QUERY_HYBRID_MAXIMUM_RESULTS": "30",
            "LOG_LEVEL": "warning",
            # A machine whose disk is nearly full for other reasons still runs the tests.
            "DISK_USE_READONLY_PERCENTAGE": "99",
            "DISK_USE_WARNING_PERCENTAGE": "98",
            **self._cluster,
        }


def three_nodes(program: Path) -> list[WeaviateNode]:
    """The nodes of one cluster, not yet started. Start all, then wait for each."""
    names = ("node1", "node2", "node3")
    ports = [Ports.free() for _ in names]
    join = ",".join(f"{name}:{port.raft}" for name, port in zip(names, ports, strict=True))
    nodes = []
    for name, port in zip(names, ports, strict=True):
        cluster = {"RAFT_BOOTSTRAP_EXPECT": "3", "RAFT_JOIN": join}
        if port is not ports[0]:
            cluster["CLUSTER_JOIN"] = f"127.0.0.1:{ports[0].gossip}"
        nodes.append(WeaviateNode(program, name=name, ports=port, cluster=cluster))
    return nodes


_given = _LOWEST + os.getpid() % 2_000 * 8


def _free_row(count: int) -> int:
    """The first of so many free ports in a row; never given twice by this process."""
    global _given
    for _ in range(_HIGHEST - _LOWEST):
        first = _given
        _given = first + count if first + 2 * count < _HIGHEST else _LOWEST
        if all(_is_free(port) for port in range(first, first + count)):
            return first
    raise RuntimeError("this machine has no free ports left")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            # Weaviate's gRPC port takes all addresses.
            probe.bind(("", port))
        except OSError:
            return False
    return True
