"""The Weaviate server on a host without containers: the command that Supervisor runs; and the container."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from config.settings import Settings
from sandbox.weaviate.binary import VERSION
from sandbox.weaviate.node import Ports
from sandbox.weaviate.shared import Elsewhere
from store.memory.weaviate.memory import CANDIDATES
from supervisor.weaviate import DONE, MISCONFIGURED, PROGRAM
from supervisor.weaviate import environment as server_environment
from tests import weaviate

PROJECT = Path(__file__).resolve().parents[2]
READY_S = 90.0


def environment(tmp_path: Path, **settings: str) -> dict[str, str]:
    """Nothing of the machine's own settings, and no program but ours in PATH."""
    return {
        "PATH": str(tmp_path / "bin"),
        "HOME": str(tmp_path),
        "OPENAI_API_KEY": "kunci-uji",
        "SHOP_NAME": "Toko Uji",
        "STATE_DIR": str(tmp_path / "var"),
        **settings,
    }


def run(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "supervisor.weaviate"],
        cwd=PROJECT,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.fixture
def program(weaviate_program: Path, tmp_path: Path) -> Path:
    """The server's program as something that is installed."""
    (tmp_path / "bin").mkdir()
    link = tmp_path / "bin" / PROGRAM
    link.symlink_to(weaviate_program)
    return link


def test_the_command_becomes_a_server_that_only_the_key_opens_and_stops_in_good_order(
    program: Path, tmp_path: Path
) -> None:
    ports = Ports.free()
    server = Elsewhere(
        url=f"http://127.0.0.1:{ports.http}", grpc_port=str(ports.grpc), key="kunci-yang-panjang"
    )
    elsewhere_than_others = {
        "CLUSTER_GOSSIP_BIND_PORT": str(ports.gossip),
        "CLUSTER_DATA_BIND_PORT": str(ports.data),
        "RAFT_PORT": str(ports.raft),
        "RAFT_INTERNAL_RPC_PORT": str(ports.raft_rpc),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "supervisor.weaviate"],
        cwd=PROJECT,
        env=environment(tmp_path, **server.settings, **elsewhere_than_others),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            deadline = time.monotonic() + READY_S
            while True:
                try:
                    assert weaviate.rest(server, "/schema") == {"classes": []}
                    break
                except OSError:
                    assert process.poll() is None
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
            stranger = Elsewhere(url=server.url, grpc_port=server.grpc_port, key="salah")
            with pytest.raises(OSError, match="401"):
                weaviate.rest(stranger, "/schema")
            # What nodes tell each other is open to all addresses, and would be without any key.
            nodes = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with pytest.raises(OSError, match="401"):
                nodes.open(f"http://127.0.0.1:{ports.data}/nodes/status", timeout=30)
            assert (tmp_path / "var" / "weaviate").stat().st_mode & 0o077 == 0
            process.send_signal(signal.SIGTERM)
            assert process.wait(90) == 0
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({}, "MEMORY"),
        ({"MEMORY": "weaviate", "WEAVIATE_URL": "https://weaviate.example"}, "elsewhere"),
        ({"MEMORY": "weaviate"}, "not installed"),
    ],
)
def test_where_no_server_is_wanted_it_leaves_in_peace(
    tmp_path: Path, settings: dict[str, str], reason: str
) -> None:
    done = run(environment(tmp_path, **settings))
    assert done.returncode == DONE
    assert reason in done.stderr


def test_a_server_without_a_key_is_refused(program: Path, tmp_path: Path) -> None:
    done = run(environment(tmp_path, MEMORY="weaviate"))
    assert done.returncode == MISCONFIGURED
    assert "WEAVIATE_API_KEY" in done.stderr
    assert os.listdir(tmp_path) == ["bin"]


def test_the_container_is_pinned_closed_to_the_world_and_given_time_to_stop() -> None:
    text = (PROJECT / "compose.yaml").read_text()
    # The very version that everything here is tested with.
    assert re.findall(r"image: (\S+)", text) == [f"cr.weaviate.io/semitechnologies/weaviate:{VERSION}"]
    published = re.findall(r'^ +- "(.+):\d+"$', text, re.MULTILINE)
    assert len(published) == 2
    assert all(address.startswith("127.0.0.1:") for address in published)
    for line in (
        'AUTHENTICATION_ANONYMOUS_ACCESS_ENABLED: "false"',
        'AUTHENTICATION_APIKEY_ALLOWED_KEYS: "${WEAVIATE_API_KEY:?',
        "CLUSTER_HOSTNAME: node1",
        "stop_grace_period: 90s",
        "mem_limit: 2g",
        "weaviate:/var/lib/weaviate",
        # The image is an Alpine, which brings a wget and no curl.
        'test: ["CMD", "wget", "--quiet", "--spider", "http://127.0.0.1:8080/v1/.well-known/ready"]',
    ):
        assert line in text


def test_the_container_and_the_bare_server_are_set_up_alike(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    text = (PROJECT / "compose.yaml").read_text()
    container = dict(re.findall(r'^ {6}([A-Z_]+): "?([^"\n]+)"?$', text, re.MULTILINE))
    bare = server_environment(make_settings(WEAVIATE_API_KEY="kunci").memory, tmp_path)
    # A container has a network of its own: only a bare server must be told to stay on this machine.
    only_bare = {"GRPC_PORT", "CLUSTER_IN_LOCALHOST", "CLUSTER_BIND_ADDR", "CLUSTER_ADVERTISE_ADDR"}
    assert bare.keys() - container.keys() == only_bare
    assert container.keys() <= bare.keys()
    keys = {"AUTHENTICATION_APIKEY_ALLOWED_KEYS", "CLUSTER_BASIC_AUTH_PASSWORD"}
    their_own = {"PERSISTENCE_DATA_PATH", *keys}
    assert {key for key in container if container[key] != bare[key]} == their_own


def test_each_half_of_a_hybrid_search_brings_as_many_as_are_looked_at(
    make_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    bare = server_environment(make_settings(WEAVIATE_API_KEY="kunci").memory, tmp_path)
    assert bare["QUERY_HYBRID_MAXIMUM_RESULTS"] == str(CANDIDATES)
