import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.rupiah import MAX_IDR, amounts_in, format_rupiah, parse_rupiah


@pytest.mark.parametrize(
    "written",
    [
        275000,
        275000.0,
        "275000",
        "275.000",
        "Rp275.000",
        "Rp 275.000,-",
        "rp. 275.000",
        "IDR 275,000",
        "275.000,00",
    ],
)
def test_a_price_is_read_however_an_owner_writes_it(written: str | int | float) -> None:
    assert parse_rupiah(written) == 275_000


@pytest.mark.parametrize(
    ("written", "remedy"),
    [
        ("Rp 150rb", "misalnya 150000"),
        ("1,5 juta", "misalnya 1500000"),
        ("dua ratus", "misalnya 275000"),
        ("27.5000", "misalnya 275000"),
        ("081234567890", "misalnya 275000"),
        ("٢٧٥", "misalnya 275000"),
        ("", "kosong"),
        ("Rp", "kosong"),
        ("-5000", "minus"),
        (-5000, "minus"),
        (150.5, "bulat"),
        (float("nan"), "bulat"),
        (float("inf"), "bulat"),
        (True, "bukan harga"),
        (MAX_IDR + 1, "terlalu besar"),
    ],
)
def test_a_price_that_could_be_misread_is_refused_with_what_to_write(
    written: str | int | float, remedy: str
) -> None:
    with pytest.raises(ValueError, match=remedy):
        parse_rupiah(written)


def test_amounts_are_written_as_on_an_indonesian_receipt() -> None:
    assert [format_rupiah(n) for n in (0, 500, 150_000, 1_250_000, -5_000)] == [
        "Rp0",
        "Rp500",
        "Rp150.000",
        "Rp1.250.000",
        "-Rp5.000",
    ]


@given(st.integers(0, MAX_IDR))
def test_what_is_written_is_read_back(amount: int) -> None:
    assert parse_rupiah(format_rupiah(amount)) == amount
    assert amounts_in(f"Harganya {format_rupiah(amount)} ya Kak.") == [amount]


@given(st.text())
def test_no_text_breaks_the_reader_of_prose(text: str) -> None:
    assert all(amount >= 0 for amount in amounts_in(text))


@pytest.mark.parametrize(
    "hostile",
    ["1" * 20_000, "1.000" * 4_000, "harga" + " " * 20_000, "1 juta 1 " * 2_000, "1.000 - " * 2_500],
)
def test_a_hostile_message_is_read_at_once(hostile: str) -> None:
    started = time.perf_counter()
    amounts_in(hostile)
    # Milliseconds in truth; only a pattern that backtracks without end comes near this.
    assert time.perf_counter() - started < 1.5


@given(st.text(alphabet="0123456789.,-rpRP jtbk ", max_size=20))
def test_a_price_is_read_or_refused_but_never_guessed(text: str) -> None:
    try:
        amount = parse_rupiah(text)
    except ValueError:
        return
    digits = "".join(c for c in text if c.isdigit())
    # Only cents of zero may be dropped.
    assert digits in {str(amount), f"{amount}0", f"{amount}00"}


@pytest.mark.parametrize(
    ("prose", "amounts"),
    [
        ("Rp150.000", [150_000]),
        ("Rp 150.000,-/bulan", [150_000]),
        ("cuma 150rb kak", [150_000]),
        ("150 ribu", [150_000]),
        ("1,5 juta", [1_500_000]),
        ("1.5jt", [1_500_000]),
        ("Rp1.250.000", [1_250_000]),
        ("150k", [150_000]),
        ("25rb-an", [25_000]),
        ("100 ribuan", [100_000]),
        ("Rp 275.000,00", [275_000]),
        ("1 juta 250 ribu", [1_250_000]),
        ("150-200 ribu", [150_000, 200_000]),
        ("Rp150.000–200.000", [150_000, 200_000]),
        ("Rp150.000 sampai 1 juta", [150_000, 1_000_000]),
        ("Harganya 275.000 ya Kak", [275_000]),
        ("harganya 275000 kak", [275_000]),
        ("5000 rupiah", [5_000]),
        ("IH20 Rp275.000, IH50 Rp375.000.", [275_000, 375_000]),
        ("Gratis ongkir mulai *Rp200.000*", [200_000]),
        ("150 thousand rupiah", [150_000]),
        ("IDR 1.5 million", [1_500_000]),
        ("1 million 250 thousand", [1_250_000]),
        ("the price is 275000", [275_000]),
        ("it is 275,000 per month", [275_000]),
        ("regane 25 ewu", [25_000]),
        ("hargana 25 rebu", [25_000]),
    ],
)
def test_every_amount_in_prose_is_found(prose: str, amounts: list[int]) -> None:
    assert amounts_in(prose) == amounts


@pytest.mark.parametrize(
    "prose",
    [
        "20 Mbps untuk 5 orang",
        "sejak 2026",
        "tarif 2026 belum keluar",
        "0812.3456.789",
        "0812-345-678",
        "+62812.345.678",
        "10.000 pelanggan",
        "10 thousand happy customers",
        "5,000 customers",
        "berat 1,250 kg",
        "power bank 20.000 mAh",
        "TV 4K",
        "kode pos 57412",
        "pukul 08.00-16.00",
        "3 kg, 2 jam",
        "versi 1.200.3",
        "IH20",
    ],
)
def test_counts_years_and_numbers_of_phones_are_no_amounts(prose: str) -> None:
    assert amounts_in(prose) == []
