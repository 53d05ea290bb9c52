"""The patched copy: exact, safe when many prepare it, and one user a port."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.whatsapp import library
from sandbox.whatsapp.certificate import sandbox_root
from sandbox.whatsapp.library import PINNED_ROOT, PINNED_URL, LibraryUnknown, NoPortFree, claimed_port
from sandbox.whatsapp.protos import neonize_folder

PORT = 24_299


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def test_both_strings_are_replaced_and_nothing_else_changes() -> None:
    original = b"before" + PINNED_URL + b"between" + PINNED_ROOT + b"after"
    made = library.patched(original, PORT)
    assert made == (b"before" + library.url(PORT).encode() + b"between" + sandbox_root().public + b"after")
    assert len(made) == len(original)


@pytest.mark.parametrize("content", [b"", PINNED_URL, PINNED_ROOT, PINNED_URL * 2 + PINNED_ROOT])
def test_a_library_that_is_not_the_known_one_is_left_alone(content: bytes) -> None:
    with pytest.raises(LibraryUnknown):
        library.patched(content, PORT)


def test_the_address_has_room_for_ports_of_five_digits_alone() -> None:
    assert len(library.url(PORT)) == len(PINNED_URL)
    with pytest.raises(ValueError, match="five digits"):
        library.url(8080)


def test_a_copy_that_many_prepare_at_once_is_whole_and_made_of_links() -> None:
    with ThreadPoolExecutor(4) as pool:
        places = set(pool.map(library.prepare, [PORT] * 4))
    (place,) = places
    assert [path.name for path in place.parent.iterdir()] == [str(PORT)]
    package = place / "neonize"
    files = [path for path in package.iterdir() if not path.is_symlink()]
    (shared,) = files
    installed = neonize_folder() / shared.name
    assert shared.stat().st_size == installed.stat().st_size
    assert PINNED_URL not in shared.read_bytes()
    assert {path.name for path in package.iterdir()} == {
        path.name for path in neonize_folder().iterdir() if path.name != "__pycache__"
    }
    assert library.environment(PORT)["PYTHONPATH"].startswith(str(place))


def test_a_port_belongs_to_one_user_at_a_time() -> None:
    with claimed_port() as first, claimed_port() as second:
        assert first != second
        with pytest.raises(NoPortFree), claimed_port(first, patience_s=0):
            pass
    with claimed_port(first) as again:
        assert again == first
