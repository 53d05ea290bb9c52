"""The document as a reader finds it: its words are taken out of the PDF again."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

from billing.invoice import InvoiceBody, InvoiceLine
from billing.invoice_pdf import pdf
from tests.unit.billing.test_invoice import BODY

PROJECT = Path(__file__).resolve().parents[3]


def _words(body: InvoiceBody) -> str:
    return _read(pdf(body))


def _read(made: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(made)).pages)


def test_it_says_who_bought_what_for_how_much_and_that_it_is_paid() -> None:
    words = _words(replace(BODY, shop_number="6281100000001"))
    for said in (
        *("INVOICE", "INV/2026/11/0007", "Toko Roti", "0811-0000-0001"),
        *("Budi", "0812-3456-0001", "Alamat: Jl. Kenanga 12", "QRIS", "25 November 2026, 11.42 WIB"),
        *("Roti sobek", "Rp28.000", "Rp84.000", "LUNAS", "Delapan puluh empat ribu rupiah"),
    ):
        assert said in words


def test_only_a_pkp_has_ppn_on_it() -> None:
    assert "PPN" not in _words(BODY)
    assert "Bukan faktur pajak" not in _words(BODY)
    taxed = _words(replace(BODY, has_ppn=True, shop_npwp="01.234.567.8-901.000"))
    for said in (
        "DPP nilai lain (11/12)",
        "PPN 12%",
        "Rp8.324",
        "NPWP 01.234.567.8-901.000",
        "Bukan faktur pajak",
    ):
        assert said in taxed


def test_a_discount_is_a_line_below_zero() -> None:
    discount = InvoiceLine(kind="discount", name="Potongan", quantity=1, unit_idr=-4_000)
    assert "-Rp4.000" in _words(replace(BODY, lines=(*BODY.lines, discount), total_idr=80_000))


def test_many_lines_take_several_pages_and_the_total_comes_once() -> None:
    lines = tuple(
        InvoiceLine(kind="item", name=f"Barang nomor {number}", quantity=1, unit_idr=1_000)
        for number in range(1, 61)
    )
    made = pdf(replace(BODY, lines=lines, total_idr=60_000))
    pages = [page.extract_text() for page in PdfReader(io.BytesIO(made)).pages]
    assert len(pages) > 2
    assert all(f"Barang nomor {number}" in "\n".join(pages) for number in range(1, 61))
    assert ["LUNAS" in page for page in pages] == [False] * (len(pages) - 1) + [True]
    assert f"Halaman {len(pages)}" in pages[-1]


def test_names_that_the_fonts_cannot_show_lose_only_that() -> None:
    words = _words(replace(BODY, customer_name="Siti 🌸 Nurhaliza 李", shop_name="Kopi ☕ Pagi"))
    assert "Siti Nurhaliza" in words
    assert "Kopi Pagi" in words


@pytest.mark.parametrize("length", [1, 500, 5_000])
def test_texts_of_any_length_stay_on_the_page(length: int) -> None:
    long = "panjang " * (length // 8) + "x" * length
    body = replace(
        BODY, shop_name=long, shop_address=long, customer_name=long, method=long, details={"alamat": long}
    )
    assert PdfReader(io.BytesIO(pdf(body))).get_num_pages() == 1


def test_the_same_row_gives_the_same_bytes() -> None:
    assert pdf(BODY) == pdf(BODY)


def test_the_shops_logo_is_on_it_and_a_broken_one_does_no_harm(tmp_path: Path) -> None:
    logo = tmp_path / "logo.png"
    Image.new("RGBA", (300, 120), (200, 60, 20, 255)).save(logo)
    page = PdfReader(io.BytesIO(pdf(replace(BODY, logo=str(logo))))).pages[0]
    assert len(page.images) == 1
    for broken in (b"", b"\x89PNG nonsense", logo.read_bytes()[:60]):
        logo.write_bytes(broken)
        assert "LUNAS" in _words(replace(BODY, logo=str(logo)))
    assert "LUNAS" in _words(replace(BODY, logo=str(tmp_path / "tidak-ada.png")))


def _process(given: bytes) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "billing.invoice_pdf"]
    return subprocess.run(command, input=given, cwd=PROJECT, capture_output=True, timeout=60, check=False)


def test_the_process_gives_the_document_of_what_it_reads() -> None:
    done = _process(json.dumps(BODY.as_json()).encode())
    assert (done.returncode, done.stderr) == (0, b"")
    assert "Roti sobek" in _read(done.stdout)


@pytest.mark.parametrize("given", [b"", b"{}", b"[1]", b'{"lines": [{"name": "Rahasia Budi"}]}'])
def test_the_process_says_no_to_anything_else_and_repeats_nothing_of_it(given: bytes) -> None:
    done = _process(given)
    assert (done.returncode, done.stdout) == (1, b"")
    assert b"this is no stored invoice" in done.stderr
    assert b"Rahasia" not in done.stderr


def test_the_process_may_use_only_so_much_memory_and_time() -> None:
    limits = """
import resource, runpy
try:
    runpy.run_module("billing.invoice_pdf", run_name="__main__")
except SystemExit:
    print(resource.getrlimit(resource.RLIMIT_AS)[0], resource.getrlimit(resource.RLIMIT_CPU)[0])
"""
    done = subprocess.run(
        [sys.executable, "-c", limits], input=b"", cwd=PROJECT, capture_output=True, timeout=60, check=True
    )
    assert done.stdout.split() == [b"536870912", b"10"]
