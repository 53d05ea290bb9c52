"""The shop's profile, `toko.toml`: what greeting, prompt and invoice say of the shop, and when it is open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from config.errors import ConfigError
from config.hours import OpeningHours, describe_moment, parse_hours, zone_name
from config.tomlfile import did_you_mean, read_toml

_DEFAULT_ZONE = "Asia/Jakarta"
_ZONES = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}
_QUIET_FROM = time(20)
_QUIET_UNTIL = time(8)
_KEYS = (
    "nama",
    "sapaan",
    "panggilan",
    "alamat",
    "jam_buka",
    "zona_waktu",
    "rekening",
    "nego",
    "gaya",
    "logo",
    "tentang",
)
# "Kak" calls someone, "Kakak" speaks of them: "Chat disimpan untuk melayani Kakak".
_LONG_FORMS = {
    "kak": "Kakak",
    "bu": "Ibu",
    "bun": "Bunda",
    "pak": "Bapak",
    "pak/bu": "Bapak/Ibu",
    "bu/pak": "Ibu/Bapak",
    "gan": "Agan",
    "sis": "Sista",
    "mba": "Mbak",
    "bro": "Bro",
    "om": "Om",
}


@dataclass(frozen=True, kw_only=True)
class BankAccount:
    """An account that customers may transfer to."""

    bank: str
    nomor: str  # Text: account numbers may begin with zeros.
    atas_nama: str


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The profile. Texts that the owner left out are empty; field names are the keys of his file."""

    nama: str
    sapaan: str = "Kak"
    panggilan: str = "Kakak"  # The form of address inside a sentence.
    alamat: str = ""
    jam_buka: OpeningHours | None = None  # None means that somebody is always there.
    zona_waktu: ZoneInfo = field(default_factory=lambda: ZoneInfo(_DEFAULT_ZONE))
    rekening: tuple[BankAccount, ...] = ()
    nego: str = "Harganya sudah pas segitu, Kak."
    gaya: str = "Ramah, singkat dan santai."
    logo: Path | None = None
    tentang: str = ""

    @classmethod
    def load(cls, data_dir: Path, *, name: str | None) -> Shop:
        """The profile in `data_dir`; `name` (from the settings) wins over the file's.

        Raises ConfigError with every mistake in the file at once.
        """
        path = data_dir / "toko.toml"
        content, problems = read_toml(path)
        if problems:
            raise ConfigError(problems)
        reader = _Reader(content)
        shop = cls(**reader.profile(data_dir, name))
        if reader.problems:
            raise ConfigError([f"{path}: {problem}" for problem in reader.problems])
        return shop

    def is_open(self, at: datetime) -> bool:
        """Whether somebody is there at `at` (aware)."""
        _must_be_aware(at)
        return self.jam_buka is None or self.jam_buka.is_open(at)

    def next_opening(self, at: datetime) -> datetime | None:
        """The first opening after `at`, in the shop's zone; None when it is always or never open."""
        _must_be_aware(at)
        return self.jam_buka.next_opening(at) if self.jam_buka else None

    def describe_next_opening(self, at: datetime) -> str:
        """What fits after "Admin online lagi": `besok 08.00 WIB`; `secepatnya` without an opening."""
        opening = self.next_opening(at)
        return describe_moment(opening, at=at, zone=self.zona_waktu) if opening else "secepatnya"

    def describe_hours(self) -> str:
        """The opening hours in one line for prompt and status; empty when the profile names none."""
        return self.jam_buka.describe() if self.jam_buka else ""

    def is_quiet_time(self, at: datetime) -> bool:
        """Whether messages that the bot starts by itself must wait: 20.00 to 08.00 in the shop's zone."""
        _must_be_aware(at)
        clock = at.astimezone(self.zona_waktu).time()
        return clock >= _QUIET_FROM or clock < _QUIET_UNTIL

    @property
    def zone_name(self) -> str:
        """`WIB`, `WITA` or `WIT`, or the zone's own name elsewhere."""
        return zone_name(self.zona_waktu)


def _must_be_aware(at: datetime) -> None:
    if at.utcoffset() is None:
        raise ValueError("a moment without a time zone can't be compared with opening hours")


class _Reader:
    """Takes the values out of the file and notes what is wrong with each."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._content = content
        self.problems = [
            f"kunci {key!r} tidak dikenal.{did_you_mean(key, _KEYS)}" for key in content if key not in _KEYS
        ]

    def profile(self, data_dir: Path, name: str | None) -> dict[str, Any]:
        sapaan = self._text("sapaan", "Kak")
        zone = self._zone()
        written_name = self._text("nama", "")
        if not (name or written_name):
            self.problems.append('nama belum diisi; tulis nama = "Nama Toko".')
        return {
            "nama": name or written_name,
            "sapaan": sapaan,
            "panggilan": self._text("panggilan", _LONG_FORMS.get(sapaan.lower(), sapaan)),
            "alamat": self._text("alamat", ""),
            "jam_buka": self._hours(zone),
            "zona_waktu": zone,
            "rekening": self._accounts(),
            "nego": self._text("nego", f"Harganya sudah pas segitu, {sapaan}."),
            "gaya": self._text("gaya", Shop.gaya),
            "logo": self._logo(data_dir),
            "tentang": self._text("tentang", ""),
        }

    def _text(self, key: str, default: str) -> str:
        value = self._content.get(key, "")
        if not isinstance(value, str):
            self.problems.append(f'{key} harus teks di antara tanda kutip, misalnya {key} = "...".')
            return default
        return value.strip() or default

    def _zone(self) -> ZoneInfo:
        name = self._text("zona_waktu", _DEFAULT_ZONE)
        try:
            return ZoneInfo(_ZONES.get(name.upper(), name))
        except (KeyError, ValueError, OSError):
            # An unknown name is a KeyError, one like "../x" a ValueError, that of a folder an OSError.
            self.problems.append(
                f'zona_waktu {name!r} tidak dikenal; tulis "Asia/Jakarta" (WIB), "Asia/Makassar" (WITA)'
                ' atau "Asia/Jayapura" (WIT).'
            )
            return ZoneInfo(_DEFAULT_ZONE)

    def _hours(self, zone: ZoneInfo) -> OpeningHours | None:
        if self._content.get("jam_buka") in (None, "", {}):
            return None
        hours, problems = parse_hours(self._content["jam_buka"], zone=zone)
        self.problems += problems
        return hours

    def _accounts(self) -> tuple[BankAccount, ...]:
        entries = self._content.get("rekening", [])
        if not isinstance(entries, list):
            self.problems.append(
                "rekening harus ditulis sebagai bagian [[rekening]], satu untuk tiap rekening."
            )
            return ()
        accounts = (self._account(number, entry) for number, entry in enumerate(entries, start=1))
        return tuple(account for account in accounts if account)

    def _account(self, number: int, entry: object) -> BankAccount | None:
        values = entry if isinstance(entry, dict) else {}
        wanted = ("bank", "nomor", "atas_nama")
        wrong = [key for key in wanted if not (isinstance(values.get(key), str) and values[key].strip())]
        for key in wrong:
            self.problems.append(
                f'rekening ke-{number}: {key} belum benar; tulis {key} = "..." dengan tanda kutip.'
            )
        for key in values:
            if key not in wanted:
                self.problems.append(
                    f"rekening ke-{number}: {key!r} tidak dikenal.{did_you_mean(key, wanted)}"
                )
        return None if wrong else BankAccount(**{key: values[key].strip() for key in wanted})

    def _logo(self, data_dir: Path) -> Path | None:
        name = self._text("logo", "")
        if not name:
            return None
        path = data_dir / name
        if not path.is_file():
            self.problems.append(
                f'logo {name!r} tidak ada di folder {data_dir}; taruh gambarnya di sana atau tulis logo = "".'
            )
        return path
