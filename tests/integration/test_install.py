"""``supervisor/install.sh`` for real: fresh roots of Debian 12 and 13 to running programs, upgrades and back.

Once where no systemd runs, so that the installer starts supervisord by itself, and once in a booted root,
which is also killed, shut down and cut off.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from config.environment import read_env_file
from tests.integration.debian import SUITES, BootedRoot, Done, EnteredRoot, booted, entered

pytestmark = pytest.mark.torture

Report = Callable[[str, float, Done | None], None]


@pytest.fixture(params=sorted(SUITES))
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def report(version: str, capsys: pytest.CaptureFixture[str]) -> Report:
    """Show what was done, how long it took and the end of what it printed."""

    def report(what: str, began: float, done: Done | None = None) -> None:
        with capsys.disabled():
            ended = "" if done is None else f", exit {done.returncode}"
            print(f"\n--- Debian {version}: {what}, {time.monotonic() - began:.1f} s{ended}")
            if done is not None:
                print("\n".join((done.stdout + done.stderr).splitlines()[-40:]), flush=True)

    return report


def test_a_fresh_debian_comes_to_a_running_service_and_an_upgrade_has_a_way_back(
    version: str, tmp_path: Path, report: Report
) -> None:
    with entered(version, tmp_path / version) as root:
        # Nothing is asked where nobody can answer, and everything that is missing is named.
        refused = root.install(OPENAI_API_KEY="", SHOP_NAME="")
        assert refused.returncode != 0
        assert "these settings are needed: OPENAI_API_KEY SHOP_NAME" in refused.stderr

        began = time.monotonic()
        done = root.install()
        report("fresh", began, done)
        assert done.returncode == 0, done.stdout + done.stderr
        assert root.get("WEBHOOKS_PORT", "/ready")[0] == 200
        assert json.loads(root.get("HEALTH_PORT", "/live")[1])["live"] is True
        assert root.mode("/etc/balas/env") == ("balas", 0o600)
        assert root.mode("/var/lib/balas/state") == ("balas", 0o700)
        assert root.mode("/var/lib/balas/state/balas.db") == ("balas", 0o600)
        assert root.mode("/var/lib/balas/state/supervisor.sock") == ("balas", 0o700)
        assert root.mode(f"{root.release}/run_bot.py")[0] == "root"
        env, _ = read_env_file(root.path / "etc/balas/env")
        assert env["SHOP_NAME"] == root.settings["SHOP_NAME"]
        began = time.monotonic()
        shown = root.run("balas", "status")
        report("balas status", began, shown)
        assert "bot menjawab, webhooks menjawab" in shown.stdout
        # Nobody has scanned a code yet.
        assert shown.returncode == 1
        programs = root.run("balas", "tail", "watch", "stderr").stdout
        assert "watch_started" in programs
        _backs_up_and_restores(root)

        first, pid = root.release, root.supervisord()
        began = time.monotonic()
        again = root.install()
        report("again, as an upgrade", began, again)
        assert again.returncode == 0, again.stdout + again.stderr
        assert root.release != first
        assert root.supervisord() != pid
        assert root.get("WEBHOOKS_PORT", "/ready")[0] == 200

        second, broken = root.release, root.break_a_copy()
        began = time.monotonic()
        failed = root.install(broken, BALAS_WAIT_S="30")
        report("a broken version", began, failed)
        assert failed.returncode != 0
        assert "rolled back" in failed.stderr
        assert root.release == second
        assert root.get("WEBHOOKS_PORT", "/ready")[0] == 200
        # The schema is the same, so nothing that arrived meanwhile is taken away.
        assert (root.path / "var/lib/balas/state/rusak").exists()
        releases = sorted(path.name for path in (root.path / "opt/balas/releases").iterdir())
        assert releases == sorted(Path(name).name for name in (first, second))

        began = time.monotonic()
        failed = root.install(root.break_a_copy(new_schema=True), BALAS_WAIT_S="30")
        report("a broken version with a new schema", began, failed)
        assert root.release == second
        assert root.get("WEBHOOKS_PORT", "/ready")[0] == 200
        [aside] = (root.path / "var/lib/balas/cadangan").glob("gagal-*")
        assert f"came since then is in /var/lib/balas/cadangan/{aside.name}" in failed.stderr
        assert (aside / "rusak").exists()
        assert root.mode("/var/lib/balas/state/balas.db") == ("balas", 0o600)


def _backs_up_and_restores(root: EnteredRoot) -> None:
    made = root.run("balas", "backup", "/var/lib/balas/state/backups/uji.db")
    assert made.returncode == 0, made.stdout + made.stderr
    assert root.mode("/var/lib/balas/state/backups/uji.db") == ("balas", 0o600)
    assert root.run("balas", "ingest").returncode == 0
    done = root.run("balas", "restore", "/var/lib/balas/state/backups/uji.db", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "bot: started" in done.stdout
    assert root.run("balas", "alive", "--wait-s", "60").returncode == 0
    state = root.path / "var/lib/balas/state"
    assert {root.mode(f"/{path.relative_to(root.path)}")[0] for path in state.rglob("*")} == {"balas"}
    # Root by himself is sent to the command.
    python = f"{root.release}/.venv/bin/python"
    refused = root.run("env", "-C", root.release, python, "-m", "store.backup")
    assert (refused.returncode, "sudo balas backup" in refused.stderr) == (2, True)


def test_systemd_starts_it_at_boot_and_again_whatever_ends_it(
    version: str, tmp_path: Path, report: Report
) -> None:
    with booted(version, tmp_path / version) as root:
        began = time.monotonic()
        done = root.install()
        report("fresh, under systemd", began, done)
        assert done.returncode == 0, done.stdout + done.stderr
        assert root.run("systemctl", "is-enabled", "balas.service").stdout == "enabled\n"
        assert root.run("stat", "-c", "%U", f"/proc/{root.shown('MainPID')}").stdout == "balas\n"
        assert _programs(root) == ["bot", "watch", "webhooks"]

        killed = root.shown("MainPID")
        began = time.monotonic()
        assert root.run("bash", "-c", f"kill -9 {killed}").returncode == 0
        while root.shown("MainPID") in {killed, "0"} and time.monotonic() < began + 60:
            time.sleep(0.2)
        assert root.answering(within_s=60)
        report("supervisord killed, all answer again", began, None)
        assert root.shown("NRestarts") == "1"
        # What the killed one had started is gone: two bots would answer every customer twice.
        assert _programs(root) == ["bot", "watch", "webhooks"]

        began = time.monotonic()
        root.run("systemctl", "stop", "balas.service")
        report("systemctl stop", began, None)
        assert time.monotonic() - began < 30
        assert (root.shown("Result"), root.shown("ExecMainStatus")) == ("success", "0")
        assert _programs(root) == []

        for name, off in (("shut down", root.power_off), ("cut off", root.pull_the_plug)):
            root.run("systemctl", "start", "balas.service")
            assert root.answering(within_s=60)
            off()
            began = time.monotonic()
            root.power_on()
            assert root.answering(within_s=60)
            report(f"{name} and switched on, all answer", began, None)
            assert _programs(root) == ["bot", "watch", "webhooks"]

        first, pid = root.release, root.shown("MainPID")
        again = root.install()
        assert again.returncode == 0, again.stdout + again.stderr
        assert root.release != first
        assert root.shown("MainPID") != pid
        second = root.release
        failed = root.install(root.break_a_copy(), BALAS_WAIT_S="30")
        report("a broken version, under systemd", began, failed)
        assert failed.returncode != 0
        assert "rolled back" in failed.stderr
        assert root.release == second
        assert root.answering(within_s=60)
        assert (root.path / "var/lib/balas/state/rusak").exists()


def _programs(root: BootedRoot) -> list[str]:
    """What runs of Balas, by the kernel's own list; each once."""
    ours = {"run_bot.py": "bot", "run_webhooks.py": "webhooks", "supervisor": "watch"}
    shown = root.run(
        "bash", "-c", "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; echo; done 2>/dev/null"
    )
    words = [
        line.split() for line in shown.stdout.splitlines() if line.startswith("/opt/balas/current/.venv")
    ]
    return sorted(name for line in words for word, name in ours.items() if word in line)
