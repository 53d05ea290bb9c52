"""What is one person's own, and so no part of what everybody is told."""

from __future__ import annotations

import pytest

from rag.private import is_private


@pytest.mark.parametrize(
    "text",
    [
        "nomorku 081234567890",
        "0812-3456-7890 ya kak",
        "telepon rumah 765 4321",
        "rek BCA 1234567",
        "pesanan 2026.11.25-003 sudah sampai?",
        "kirim ke budi@contoh.id",
        "ig @budi.jaya",
        "rek 08.00-17.001",
        "0812.34-56.78",
        "0812-12.34-15.30",
        "08.00-17.00, wa 081234567890",
    ],
)
def test_numbers_of_seven_digits_and_addresses_are_somebodys_own(text: str) -> None:
    assert is_private(text)


@pytest.mark.parametrize(
    "text",
    [
        "paket 20 mbps berapa?",
        "dp 500.000 boleh?",
        "untuk 100 - 200 orang",
        "ada ukuran 38 39 40?",
        "kode pos 55281",
        "buka tanggal 25-12-26?",
        "buka jam 08.00",
        "Senin-Sabtu 08.00-17.00, Minggu 9.00 sampai 15.30 ya kak",
        "09:00–21:00",
        "",
    ],
)
def test_prices_sizes_dates_and_hours_are_nobodys_own(text: str) -> None:
    assert not is_private(text)
