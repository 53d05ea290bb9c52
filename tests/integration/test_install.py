"""``supervisor/install.sh`` for real: fresh roots of Debian 12 and 13 to running programs, upgrades and back.

Each root is made by debootstrap once and kept in the user's cache. There is no systemd in a root, so that
supervisord is started by itself here; ``systemd-analyze`` reads the unit in ``test_supervisor.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from sandbox.openai.process import OpenAIStandInProcess

pytestmark = pytest.mark.torture

PROJECT = Path(__file__).resolve().parents[2]
SUITES = {"12": "bookworm", "13": "trixie"}
CACHE = Path.home() / ".cache" / "balas" / "roots"
MINUTES_S = 60.0
# The network's peculiarities of this machine are the root's as well.
_OF_THE_MACHINE = ("/etc/pip.conf", "/etc/resolv.conf", "/etc/hosts")


@dataclass(kw_only=True)
class Root:
    """One Debian in a folder."""

    path: Path
    settings: dict[str, str]
    version: str

    def run(
        self, *command: str, within_s: float = 15 * MINUTES_S, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        kept.pop("PIP_FIND_LINKS", None)
        if "PIP_CERT" in kept:
            kept["PIP_CERT"] = "/srv/ca.crt"
        clean = {"PATH": "/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LANG": "C.UTF-8"}
        return subprocess.run(
            ["chroot", str(self.path), *command],
            env={**clean, **kept, "PIP_CACHE_DIR": "/srv/pip-cache", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=within_s,
            check=False,
        )

    def install(self, source: str = "/srv/balas", **changed: str) -> subprocess.CompletedProcess[str]:
        return self.run("bash", f"{source}/supervisor/install.sh", **{**self.settings, **changed})

    def get(self, port_key: str, path: str) -> tuple[int, str]:
        url = f"http://127.0.0.1:{self.settings[port_key]}{path}"
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as exc:
            return exc.code, exc.read().decode()

    def mode(self, path: str) -> tuple[str, int]:
        found = (self.path / path.lstrip("/")).lstat()
        names = (self.path / "etc" / "passwd").read_text().splitlines()
        owner = next(line.split(":")[0] for line in names if line.split(":")[2] == str(found.st_uid))
        return owner, stat.S_IMODE(found.st_mode)

    @property
    def release(self) -> str:
        return os.readlink(self.path / "opt" / "balas" / "current")

    def supervisord(self) -> int:
        return int((self.path / "var/lib/balas/state/supervisord.pid").read_text())

    def stop(self) -> None:
        """End what the installation left running; it is ours."""
        try:
            pid = self.supervisord()
            os.kill(pid, signal.SIGTERM)
        except (OSError, ValueError):
            return
        deadline = time.monotonic() + 2 * MINUTES_S
        while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
            time.sleep(0.2)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


def mirror() -> str:
    """Where this machine has its own Debian packages from."""
    for file in (*Path("/etc/apt/sources.list.d").glob("debian*"), Path("/etc/apt/sources.list")):
        for word in file.read_text().split() if file.is_file() else ():
            if word.startswith("http") and word.rstrip("/").endswith("/debian"):
                return word
    pytest.fail("this machine's apt sources name no Debian mirror")


def make_root(suite: str, folder: Path) -> None:
    archive = CACHE / f"{suite}.tar"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        fresh = folder.with_name(f"{folder.name}-fresh")
        subprocess.run(
            ["nice", "-n", "15", "debootstrap", "--variant=minbase", suite, str(fresh), mirror()],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        part = archive.with_suffix(".part")
        subprocess.run(["tar", "-C", str(fresh), "--numeric-owner", "-cf", str(part), "."], check=True)
        part.rename(archive)
        shutil.rmtree(fresh)
    folder.mkdir()
    subprocess.run(["tar", "-C", str(folder), "--numeric-owner", "-xpf", str(archive)], check=True)


@pytest.fixture(params=sorted(SUITES))
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Root]:
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        pytest.skip("NOT TESTED: the installation needs root and debootstrap (apt-get install debootstrap)")
    folder = tmp_path / request.param
    make_root(SUITES[request.param], folder)
    for name in _OF_THE_MACHINE:
        if Path(name).exists():
            shutil.copy(name, folder / name.lstrip("/"))
    if certificate := os.environ.get("PIP_CERT"):
        shutil.copy(certificate, folder / "srv" / "ca.crt")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True).stdout
    for name in filter(None, tracked.decode().split("\0")):
        target = folder / "srv" / "balas" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PROJECT / name, target)
    subprocess.run(["mount", "-t", "proc", "proc", str(folder / "proc")], check=True)
    with OpenAIStandInProcess() as model:
        settings = {
            "OPENAI_API_KEY": "sk-uji-pasang",
            "SHOP_NAME": "Toko $uji; \\ pasang",
            "RUANG_ADMIN": "081234567890",
            "OPENAI_BASE_URL": model.base_url,
            "WEBHOOKS_PORT": str(free_port()),
            "HEALTH_PORT": str(free_port()),
        }
        found = Root(path=folder, settings=settings, version=request.param)
        try:
            yield found
        finally:
            found.stop()
            subprocess.run(["umount", str(folder / "proc")], check=True)


def test_a_fresh_debian_comes_to_a_running_service_and_an_upgrade_has_a_way_back(
    root: Root, capsys: pytest.CaptureFixture[str]
) -> None:
    def report(what: str, done: subprocess.CompletedProcess[str], began: float) -> None:
        with capsys.disabled():
            took_s = time.monotonic() - began
            print(f"\n--- Debian {root.version}: {what}, {took_s:.0f} s, exit {done.returncode}")
            print("\n".join((done.stdout + done.stderr).splitlines()[-40:]), flush=True)

    # Nothing is asked where nobody can answer, and everything that is missing is named.
    refused = root.install(OPENAI_API_KEY="", SHOP_NAME="")
    assert refused.returncode != 0
    assert "these settings are needed: OPENAI_API_KEY SHOP_NAME" in refused.stderr

    began = time.monotonic()
    done = root.install()
    report("fresh", done, began)
    assert done.returncode == 0, done.stdout + done.stderr
    assert root.get("WEBHOOKS_PORT", "/ready")[0] == 200
    assert json.loads(root.get("HEALTH_PORT", "/live")[1])["live"] is True
    assert root.mode("/etc/balas/env") == ("balas", 0o600)
    assert root.mode("/var/lib/balas/state") == ("balas", 0o700)
    assert root.mode("/var/lib/balas/state/balas.db") == ("balas", 0o600)
    assert root.mode("/var/lib/balas/state/supervisor.sock") == ("balas", 0o700)
    assert root.mode(f"{root.release}/run_bot.py")[0] == "root"
    assert "SHOP_NAME=Toko $uji; \\ pasang\n" in (root.path / "etc/balas/env").read_text()
    shown = root.run("balas", "status")
    report("balas status", shown, time.monotonic())
    assert "bot menjawab, webhooks menjawab" in shown.stdout
    # Nobody has scanned a code yet.
    assert shown.returncode == 1
    programs = root.run("balas", "tail", "watch", "stderr").stdout
    assert "watch_started" in programs

    first, pid = root.release, root.supervisord()
    began = time.monotonic()
    again = root.install()
    report("again, as an upgrade", again, began)
    assert again.returncode == 0, again.stdout + again.stderr
    assert root.release != first
    assert root.supervisord() != pid
    assert root.get("WEBHOOKS_PORT", "/ready")[0] == 200

    # A version whose payment process cannot start, and which has changed the state by then.
    second = root.release
    broken = root.path / "srv" / "rusak"
    shutil.copytree(root.path / "srv" / "balas", broken)
    (broken / "run_webhooks.py").write_text(
        "import pathlib\npathlib.Path('/var/lib/balas/state/rusak').touch()\nraise SystemExit('rusak')\n"
    )
    began = time.monotonic()
    failed = root.install("/srv/rusak", BALAS_WAIT_S="30")
    report("a broken version", failed, began)
    assert failed.returncode != 0
    assert "rolled back" in failed.stderr
    assert root.release == second
    assert root.get("WEBHOOKS_PORT", "/ready")[0] == 200
    assert not (root.path / "var/lib/balas/state/rusak").exists()
    releases = sorted(path.name for path in (root.path / "opt/balas/releases").iterdir())
    assert releases == sorted(Path(name).name for name in (first, second))
