"""Reading one of the owner's TOML files, with mistakes explained in his language."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def read_toml(path: Path) -> tuple[dict[str, Any], list[str]]:
    """The file's content and what is wrong with it; a file that does not exist is an empty one."""
    try:
        # utf-8-sig: Windows editors put a byte order mark in front.
        return tomllib.loads(path.read_text(encoding="utf-8-sig")), []
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        return {}, [f"{path} tidak bisa dibaca ({error.strerror}). Periksa izin berkasnya."]
    except UnicodeDecodeError:
        return {}, [f"{path} bukan teks UTF-8. Simpan ulang sebagai UTF-8."]
    except tomllib.TOMLDecodeError as error:
        return {}, [f"{path} salah tulis: {error}. Biasanya ada tanda kutip yang kurang di baris itu."]


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A hint to end a sentence with: the known name that was probably meant, or nothing."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Maksudnya {near[0]}?" if near else ""
