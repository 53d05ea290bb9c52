from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from config.hours import parse_hours
from config.shop import BankAccount, Shop

ROOT = Path(__file__).parents[3]
WIB = ZoneInfo("Asia/Jakarta")
WEEK = """
nama = "Pelita"
[jam_buka]
senin-jumat = "08.00-20.00"
jumat = ["08.00-11.30", "13.00-20.00"]
sabtu = "8-17"
minggu = "tutup"
"""


def shop(folder: Path, profile: str = WEEK, *, name: str | None = None) -> Shop:
    (folder / "toko.toml").write_text(profile, encoding="utf-8")
    return Shop.load(folder, name=name)


def problems_of(folder: Path, profile: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        shop(folder, profile)
    return caught.value.problems


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=WIB)


def test_a_name_alone_is_a_profile(tmp_path: Path) -> None:
    found = Shop.load(tmp_path, name="Toko Uji")
    assert found == Shop(nama="Toko Uji")
    assert (found.sapaan, found.panggilan, found.nego) == ("Kak", "Kakak", "Harganya sudah pas segitu, Kak.")
    assert found.zona_waktu.key == "Asia/Jakarta"


def test_the_whole_profile_is_read(tmp_path: Path) -> None:
    (tmp_path / "logo.png").write_bytes(b"")
    found = shop(
        tmp_path,
        """
        nama = " Pelita "
        sapaan = "Bun"
        tentang = "Gamis dan jilbab"
        alamat = "Jl. Merapi 27"
        zona_waktu = "WITA"
        gaya = "Lembut"
        logo = "logo.png"
        [[rekening]]
        bank = "BCA"
        nomor = "0034 0100"
        atas_nama = "Sarah"
        """,
    )
    assert found == Shop(
        nama="Pelita",
        sapaan="Bun",
        panggilan="Bunda",
        tentang="Gamis dan jilbab",
        alamat="Jl. Merapi 27",
        zona_waktu=ZoneInfo("Asia/Makassar"),
        rekening=(BankAccount(bank="BCA", nomor="0034 0100", atas_nama="Sarah"),),
        nego="Harganya sudah pas segitu, Bun.",
        gaya="Lembut",
        logo=tmp_path / "logo.png",
    )


def test_the_name_of_the_settings_wins(tmp_path: Path) -> None:
    assert shop(tmp_path, 'nama = "Pelita"', name="Lain").nama == "Lain"


def test_the_sample_shop_is_valid() -> None:
    found = Shop.load(ROOT / "data", name=None)
    assert found.nama
    assert found.jam_buka


def test_all_mistakes_are_named_at_once_with_file_key_and_what_to_write(tmp_path: Path) -> None:
    problems = problems_of(
        tmp_path,
        """
        namaa = "Pelita"
        sapaan = 3
        zona_waktu = "Asia/Jkt"
        logo = "tidak-ada.png"
        [jam_buka]
        snin = "08.00-20.00"
        selasa = "pagi"
        [[rekening]]
        bank = "BCA"
        nomor = 4570112233
        an = "Sarah"
        """,
    )
    assert all(problem.startswith(f"{tmp_path / 'toko.toml'}: ") for problem in problems)
    text = "\n".join(problems)
    for said in (
        "'namaa' tidak dikenal. Maksudnya nama?",
        "nama belum diisi",
        'sapaan = "..."',
        '"Asia/Makassar" (WITA)',
        "tidak-ada.png",
        "jam_buka.snin: bukan nama hari",
        "jam_buka.selasa: jam 'pagi'",
        'rekening ke-1: nomor belum benar; tulis nomor = "..."',
        "rekening ke-1: atas_nama",
        "rekening ke-1: 'an' tidak dikenal",
    ):
        assert said in text
    assert len(problems) == 10


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ("nama = Pelita", "salah tulis"),
        ('nama = "a"\nrekening = "BCA 123"', "[[rekening]]"),
        ('nama = "a"\nrekening = ["BCA 123"]', "rekening ke-1: bank"),
        ('nama = "a"\njam_buka = 8', "satu baris per hari"),
        ('nama = "a"\nzona_waktu = "../etc"', "zona_waktu"),
        ('nama = "a"\nzona_waktu = "Asia"', "zona_waktu"),
    ],
)
def test_a_mistake_is_explained(tmp_path: Path, profile: str, said: str) -> None:
    assert said in "\n".join(problems_of(tmp_path, profile))


def test_a_profile_in_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "toko.toml").write_bytes(b'nama = "\xff"')
    with pytest.raises(ConfigError, match="UTF-8"):
        Shop.load(tmp_path, name=None)


@pytest.mark.parametrize(
    ("at", "is_open", "opening"),
    [
        ("2026-11-23T07:59", False, "nanti 08.00 WIB"),
        ("2026-11-23T08:00", True, "besok 08.00 WIB"),
        ("2026-11-23T19:59", True, "besok 08.00 WIB"),
        ("2026-11-23T20:00", False, "besok 08.00 WIB"),
        ("2026-11-27T12:00", False, "nanti 13.00 WIB"),
        ("2026-11-28T16:59", True, "Senin 08.00 WIB"),
        ("2026-11-28T17:00", False, "Senin 08.00 WIB"),
        ("2026-11-29T10:00", False, "besok 08.00 WIB"),
    ],
)
def test_the_shop_knows_when_it_is_open_and_when_next(
    tmp_path: Path, at: str, is_open: bool, opening: str
) -> None:
    found = shop(tmp_path)
    for moment in (local(at), local(at).astimezone(UTC)):
        assert found.is_open(moment) is is_open
        assert found.describe_next_opening(moment) == opening


def test_hours_past_midnight_belong_to_the_day_on_which_they_began(tmp_path: Path) -> None:
    found = shop(tmp_path, 'nama = "a"\n[jam_buka]\nsabtu = "18.00-02.00"')
    assert found.is_open(local("2026-11-28T23:00"))
    assert found.is_open(local("2026-11-29T01:59"))
    assert not found.is_open(local("2026-11-29T02:00"))
    assert found.describe_next_opening(local("2026-11-28T18:00")) == "Sabtu depan 18.00 WIB"
    assert found.describe_hours() == "Senin–Jumat tutup, Sabtu 18.00–02.00, Minggu tutup (WIB)"


@pytest.mark.parametrize("hours", ["", 'jam_buka = "24 jam"', 'jam_buka = ""', "[jam_buka]"])
def test_a_shop_without_hours_is_always_there(tmp_path: Path, hours: str) -> None:
    found = shop(tmp_path, f'nama = "a"\n{hours}')
    assert found.is_open(local("2026-11-23T03:00"))
    assert found.next_opening(local("2026-11-23T03:00")) is None
    assert found.describe_next_opening(local("2026-11-23T03:00")) == "secepatnya"


def test_a_shop_that_never_opens_promises_no_time(tmp_path: Path) -> None:
    found = shop(tmp_path, 'nama = "a"\njam_buka = "tutup"')
    assert not found.is_open(local("2026-11-23T10:00"))
    assert found.describe_next_opening(local("2026-11-23T10:00")) == "secepatnya"


def test_the_clock_is_that_of_the_shops_zone(tmp_path: Path) -> None:
    found = shop(tmp_path, 'nama = "a"\nzona_waktu = "Asia/Jayapura"\njam_buka = "08:00 – 16:00"')
    assert found.is_open(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
    assert found.describe_next_opening(datetime(2026, 11, 23, 22, 0, tzinfo=UTC)) == "nanti 08.00 WIT"
    assert found.zone_name == "WIT"


@pytest.mark.parametrize(
    ("at", "quiet"),
    [("07:59", True), ("08:00", False), ("19:59", False), ("20:00", True), ("00:00", True)],
)
def test_messages_of_our_own_wait_from_eight_to_eight(tmp_path: Path, at: str, quiet: bool) -> None:
    found = shop(tmp_path)
    assert found.is_quiet_time(local(f"2026-11-23T{at}").astimezone(UTC)) is quiet


def test_a_moment_without_a_zone_is_refused(tmp_path: Path) -> None:
    found = shop(tmp_path)
    naive = datetime(2026, 11, 23, 9, 0)  # noqa: DTZ001 - the missing zone is what is tested.
    for question in (found.is_open, found.next_opening, found.is_quiet_time):
        with pytest.raises(ValueError, match="time zone"):
            question(naive)


def test_the_hours_are_described_in_one_line(tmp_path: Path) -> None:
    assert shop(tmp_path).describe_hours() == (
        "Senin–Kamis 08.00–20.00, Jumat 08.00–11.30 dan 13.00–20.00, Sabtu 08.00–17.00, Minggu tutup (WIB)"
    )
    assert shop(tmp_path, 'nama = "a"\njam_buka = "8-24"').describe_hours() == "setiap hari 08.00–24.00 (WIB)"
    assert Shop(nama="a").describe_hours() == ""


@pytest.mark.parametrize(
    "written",
    [
        "25.00-26.00",
        "08.60-09.00",
        "08.00-08.00",
        "08.00",
        "8 pagi",
        "08.00-12.00, 11.00-13.00",
        "",
        8,
        ["pagi"],
    ],
)
def test_hours_that_can_not_be_are_refused(written: object) -> None:
    hours, problems = parse_hours({"senin": written}, zone=WIB)
    assert hours is None
    assert "jam_buka.senin" in problems[0]


@pytest.mark.parametrize("key", ["senin-jumat", "Senin - Jumat", "senin sampai jumat", "senin_jumat"])
def test_a_range_of_days_can_be_written_in_several_ways(key: str) -> None:
    hours, problems = parse_hours({key: "8-9"}, zone=WIB)
    assert not problems
    assert hours
    assert [bool(spans) for spans in hours.days] == [True] * 5 + [False] * 2


def test_a_range_may_go_round_the_end_of_the_week() -> None:
    hours, _ = parse_hours({"sabtu-senin": "8-9", "jum'at": "8-9"}, zone=WIB)
    assert hours
    assert [bool(spans) for spans in hours.days] == [True, False, False, False, True, True, True]


spans = st.one_of(
    st.just("tutup"),
    st.just("24 jam"),
    st.tuples(st.integers(0, 23), st.integers(0, 24))
    .filter(lambda ends: ends[0] != ends[1])
    .map(lambda ends: f"{ends[0]:02d}.00-{ends[1]:02d}.00"),
)
week = st.fixed_dictionaries(
    dict.fromkeys(("senin", "selasa", "rabu", "kamis", "jumat", "sabtu", "minggu"), spans)
)


@given(week, st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)))  # noqa: DTZ001 - the zone is set below.
def test_the_next_opening_is_the_first_moment_that_turns_open(written: dict[str, str], at: datetime) -> None:
    hours, _ = parse_hours(written, zone=WIB)
    assert hours
    at = at.replace(tzinfo=WIB)
    opening = hours.next_opening(at)
    if opening is None:
        days = [hours.is_open(at + timedelta(hours=step)) for step in range(24 * 7)]
        assert all(days) or not any(days)
        return
    assert opening > at
    assert hours.is_open(opening)
    assert not hours.is_open(opening - timedelta(seconds=1))
    if not hours.is_open(at):
        step = (opening - at) / 20
        assert not any(hours.is_open(at + step * part) for part in range(20))
