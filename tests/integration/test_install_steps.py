"""The steps of ``supervisor/install.sh``, each by itself: what a failure leaves, what a way back keeps.

The whole of it is installed for real in ``test_install.py``; here a shell reads the script and works in a
folder of the test's, with a service that only writes down what became of it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pysqlite3
import pytest

from config.environment import read_env_file

PROJECT = Path(__file__).resolve().parents[2]
SCRIPT = PROJECT / "supervisor" / "install.sh"

Done = subprocess.CompletedProcess[str]


class Server:
    """An installed Balas whose earlier release runs; paths as the script's, below one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state, self.copies = folder / "state", folder / "cadangan"
        self.releases = folder / "releases"
        for path in (self.state, self.copies, self.releases / "lama", self.releases / "baru"):
            path.mkdir(parents=True)
        (folder / "current").symlink_to(self.releases / "lama")
        for package in ("supervisor", "store", "config"):
            (self.releases / "baru" / package).symlink_to(PROJECT / package)
        python = self.releases / "baru" / ".venv" / "bin" / "python"
        python.parent.mkdir(parents=True)
        # A script, since a symbolic link to the interpreter would lose its virtual environment.
        python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
        python.chmod(0o755)
        self.database("0001")
        (self.state / "backups").mkdir()
        (self.state / "backups" / "balas-20260101-031500.db").write_text("semalam")
        (self.state / "weaviate").mkdir()
        (self.state / "weaviate" / "index").write_text("indeks")
        (self.state / "media").mkdir()
        (self.state / "media" / "1").write_text("foto")

    def database(self, version: str, *, message: str = "lama") -> None:
        with pysqlite3.connect(self.state / "balas.db") as connection:
            for table in ("alembic_version (version_num)", "meta (key, value)", "pesan (isi)"):
                connection.execute(f"CREATE TABLE IF NOT EXISTS {table}")
            connection.execute("DELETE FROM alembic_version")
            connection.execute("INSERT INTO alembic_version VALUES (?)", [version])
            connection.execute("INSERT INTO meta VALUES ('weaviate:Balas', '{}'), ('installation', 'x')")
            connection.execute("INSERT INTO pesan VALUES (?)", [message])
        connection.close()

    def rows(self, query: str, file: Path | None = None) -> list[str]:
        connection = pysqlite3.connect(file or self.state / "balas.db")
        try:
            return [str(value) for (value,) in connection.execute(query)]
        finally:
            connection.close()

    def run(self, commands: str) -> Done:
        """Read the script, put this folder in place of the system's, then run these commands."""
        here = f"""
        source {SCRIPT}
        user=$(id -un) state={self.state} backups={self.copies} releases={self.releases}
        current={self.folder}/current settings={self.folder}/env previous=$(readlink -f $current)
        release={self.releases}/baru configuration={self.folder}/supervisord.conf
        unit={self.folder}/balas.service wrapper={self.folder}/balas
        as_balas() {{ (cd "$1" && "${{@:2}}"); }}
        render() {{ echo "rendered by $(basename $release)"; }}
        read_knowledge() {{ :; }}
        stop_service() {{ echo stopped >>{self.folder}/told; }}
        start_service() {{ echo "started $(basename "$(readlink -f $current)")" >>{self.folder}/told; }}
        answers() {{ [[ $(readlink -f $current) == */lama ]]; }}
        """
        return subprocess.run(
            ["bash", "-c", here + commands], capture_output=True, text=True, check=False, timeout=120
        )

    @property
    def told(self) -> list[str]:
        file = self.folder / "told"
        return file.read_text().splitlines() if file.exists() else []


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path)


def test_too_little_room_for_the_copy_is_said_before_anything_stops(server: Server) -> None:
    done = server.run("spare_mb=999999999; start")
    assert done.returncode == 1
    assert "disk kurang" in done.stderr
    assert server.told == []
    assert list(server.copies.iterdir()) == []
    # Each attempt would leave one more otherwise.
    assert not (server.releases / "baru").exists()


def test_an_upgrade_copies_neither_back_ups_nor_the_index_and_counts_neither(server: Server) -> None:
    with (server.state / "weaviate" / "besar").open("wb") as file:
        file.write(b"x" * 3_000_000)
    done = server.run("answers() { :; }; start; du -sm . >&2")
    assert done.returncode == 0, done.stderr
    assert server.told == ["stopped", "started baru"]
    [copy] = server.copies.iterdir()
    assert sorted(path.name for path in copy.iterdir()) == ["balas.db", "media"]
    size = server.run('cd $state && du -sm "${not_copied[@]}" . | cut -f 1; way_back= release=').stdout
    assert int(size) <= 1


def test_a_copy_that_fails_is_taken_away_and_the_earlier_version_runs_again(server: Server) -> None:
    (server.state / "media" / "besar").write_bytes(b"x" * 3_000_000)
    # As on a full disk: what tar writes stops in the middle.
    done = server.run("trap '' XFSZ; ulimit -f 1024; start")
    assert done.returncode != 0
    assert "not finished (at: backing up" in done.stderr
    assert server.told == ["stopped", "started lama"]
    assert list(server.copies.iterdir()) == []
    assert (server.state / "media" / "besar").stat().st_size == 3_000_000
    assert (server.folder / "current").resolve().name == "lama"
    assert not (server.releases / "baru").exists()


def test_an_interrupted_start_of_the_new_version_goes_back_as_well(server: Server) -> None:
    done = server.run("read_knowledge() { kill -TERM $$; :; }; start")
    assert done.returncode != 0
    assert server.told == ["stopped", "stopped", "started lama"]
    assert (server.folder / "supervisord.conf").read_text() == "rendered by lama\n"


def test_a_way_back_keeps_what_arrived_while_the_schema_is_the_same(server: Server) -> None:
    arrives = f"cp {server.folder}/sesudah.db $state/balas.db"
    server.database("0001", message="baru datang")
    (server.folder / "sesudah.db").write_bytes((server.state / "balas.db").read_bytes())
    (server.state / "balas.db").unlink()
    server.database("0001")
    done = server.run(f"read_knowledge() {{ {arrives}; }}; start")
    assert done.returncode == 1
    assert "rolled back" in done.stderr
    assert server.told == ["stopped", "started baru", "stopped", "started lama"]
    assert "baru datang" in server.rows("SELECT isi FROM pesan")
    # The index is of the same past still.
    assert "weaviate:Balas" in server.rows("SELECT key FROM meta")
    [copy] = server.copies.iterdir()
    assert copy.name == "sebelum-baru"
    assert str(copy) in done.stderr


def test_a_way_back_from_another_schema_puts_what_arrived_aside_and_names_the_place(server: Server) -> None:
    migrates = f"{sys.executable} -c \"import pysqlite3 as s; c = s.connect('$state/balas.db')" + (
        "; c.execute('UPDATE alembic_version SET version_num = 9999')"
        "; c.execute('INSERT INTO pesan VALUES (7)'); c.commit()\"; touch $state/baru.log $state/sesi"
    )
    done = server.run(f"read_knowledge() {{ {migrates}; }}; start")
    assert done.returncode == 1
    assert server.told == ["stopped", "started baru", "stopped", "started lama"]
    assert server.rows("SELECT version_num FROM alembic_version") == ["0001"]
    assert server.rows("SELECT isi FROM pesan") == ["lama"]
    # Weaviate has what is gone here, so it must not go on from where it was.
    assert server.rows("SELECT key FROM meta") == ["installation"]
    [aside] = server.copies.iterdir()
    assert aside.name == "gagal-baru"
    assert f"came since then is in {aside}" in done.stderr
    assert server.rows("SELECT isi FROM pesan", aside / "balas.db") == ["lama", "7"]
    assert aside.stat().st_mode & 0o077 == 0
    there = sorted(path.name for path in server.state.iterdir())
    assert there == ["backups", "balas.db", "baru.log", "media", "weaviate"]
    assert (server.state / "backups" / "balas-20260101-031500.db").exists()


def test_a_newer_session_of_whatsapp_is_another_schema_too(server: Server) -> None:
    version = "CREATE TABLE whatsmeow_version (version, compat); INSERT INTO whatsmeow_version VALUES "
    for file, number in ((server.state / "utama-whatsapp.db", 11), (server.folder / "neu.db", 12)):
        connection = pysqlite3.connect(file)
        connection.executescript(f"{version} ({number}, 8)")
        connection.close()
    done = server.run(f"read_knowledge() {{ cp {server.folder}/neu.db $state/utama-whatsapp.db; }}; start")
    assert "gagal-baru" in done.stderr
    assert server.rows("SELECT version FROM whatsmeow_version", server.state / "utama-whatsapp.db") == ["11"]


@pytest.mark.parametrize(
    "name",
    [
        "Toko Kue #1 Bandung",
        "#1 Kue",
        "Toko $uji; \\ pasang",
        "$HOME ${HOME} `id`",
        "'Kue' Bu Ani",
        '"Kue" Bu Ani',
        "Kue 'enak' #1",
        "'satu' \\' #2 \\\\",
        'Ani\'s & "Budi" #3 \\n',
        "Kopi -n",
        "Téh & Kopi é",
    ],
)
def test_a_setting_is_read_back_as_it_was_given(server: Server, name: str) -> None:
    env = server.folder / "env"
    env.write_text((PROJECT / ".env.example").read_text())
    env.chmod(0o600)
    before, _ = read_env_file(env)
    done = subprocess.run(
        ["bash", "-c", f'source {SCRIPT}; put_setting {env} SHOP_NAME "$NAMA"'],
        env={**os.environ, "NAMA": name},
        check=False,
    )
    assert done.returncode == 0
    after, problems = read_env_file(env)
    assert problems == []
    assert after == {**before, "SHOP_NAME": name}


def test_the_script_itself_reads_what_it_had_to_quote(server: Server) -> None:
    (server.folder / "env").write_text("PUBLIC_URL='https://bayar.toko.example/x'\nMEMORY=\"weaviate\"\n")
    done = server.run("release=; domain; setting MEMORY; setting SHOP_NAME")
    assert done.stdout == "bayar.toko.example\nweaviate\n"


class Commands:
    """The program ``balas`` as the script writes it; the user's programs only say how they were called."""

    def __init__(self, server: Server) -> None:
        self.server = server
        bin_ = server.releases / "lama" / ".venv" / "bin"
        bin_.mkdir(parents=True)
        for name in ("python", "supervisorctl"):
            program = bin_ / name
            program.write_text(f'#!/bin/sh\necho {name} "$@" >>{server.folder}/called\nexit ${{FAILS:-0}}\n')
            program.chmod(0o755)
        # Changing the user is root's; whose files they are is tested in a real installation.
        runuser = server.folder / "bin" / "runuser"
        runuser.parent.mkdir()
        runuser.write_text('#!/bin/sh\nshift 3\nexec "$@"\n')
        runuser.chmod(0o755)
        done = server.run("release=; put_file $wrapper 0755 commands")
        assert done.returncode == 0, done.stderr

    def __call__(self, *words: str, **environment: str) -> tuple[Done, list[str]]:
        (self.server.folder / "called").unlink(missing_ok=True)
        path = f"{self.server.folder / 'bin'}:{os.environ['PATH']}"
        done = subprocess.run(
            [self.server.folder / "balas", *words],
            cwd=self.server.folder,
            env={"PATH": path, **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        called = self.server.folder / "called"
        return done, called.read_text().splitlines() if called.exists() else []


@pytest.fixture
def balas(server: Server) -> Commands:
    return Commands(server)


def test_the_commands_of_the_alarms_are_there(balas: Commands) -> None:
    control = f"supervisorctl -c {balas.server.folder}/supervisord.conf"
    for words, called in {
        "status": "python -m supervisor status",
        "pair": "python -m supervisor pair",
        "start bot": f"{control} start bot",
        "restart all": f"{control} restart all",
        "backup": "python -m store.backup make",
        "ingest --reembed": "python -m rag.ingest --reembed",
        "handoffs --answer 7 Bisa": "python -m bot.handoffs --answer 7 Bisa",
        "customers list budi": "python -m bot.customers list budi",
    }.items():
        done, found = balas(*words.split(), FAILS="3")
        assert (done.returncode, found) == (3, [called])
    for sentences in ("config/kalimat.toml", "docs/alerts.md", "README.md"):
        text = (PROJECT / sentences).read_text(encoding="utf-8")
        named = set(re.findall(r"sudo balas ([a-z]+)", text))
        known = (balas.server.folder / "balas").read_text()
        assert named, sentences
        assert [name for name in named if name not in known] == []


def test_a_restore_stops_the_programs_and_starts_them_again_whatever_became_of_it(balas: Commands) -> None:
    control = f"supervisorctl -c {balas.server.folder}/supervisord.conf"
    file = balas.server.folder / "kemarin.db"
    file.write_text("cadangan")
    done, called = balas("restore", "kemarin.db", "--yes")
    restores = f"python -m store.backup restore {file} --yes"
    assert called == [f"{control} stop all", restores, f"{control} start all"]
    assert done.returncode == 0
    done, called = balas("restore", "kemarin.db", "--yes", FAILS="2")
    assert (done.returncode, len(called)) == (2, 3)
    # Without the word nothing is stopped: it only says what would be done.
    _, called = balas("restore", "kemarin.db")
    assert called == [f"python -m store.backup restore {file}"]
    done, called = balas("restore", "tidak-ada.db", "--yes")
    assert (done.returncode, called) == (1, [])
    assert "tidak ada atau tidak terbaca" in done.stderr


def test_a_backup_goes_where_its_file_is_named_from(balas: Commands) -> None:
    _, called = balas("backup", "x.db")
    assert called == [f"python -m store.backup make {balas.server.folder}/x.db"]
    done, called = balas("backup", "tidak/ada/x.db")
    assert (done.returncode, called) == (1, [])
