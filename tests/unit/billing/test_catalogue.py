from pathlib import Path

import openpyxl
import pytest

from billing.catalogue import CatalogueReading, find_catalogue, read_catalogue

HEADER = "kode,nama,harga,satuan,stok,aktif,keterangan,perlu,setelah_bayar"


def read_csv(folder: Path, text: str, encoding: str = "utf-8") -> CatalogueReading:
    path = folder / "katalog.csv"
    path.write_bytes(text.encode(encoding))
    return read_catalogue(path)


def read_xlsx(folder: Path, rows: list[list[object]], title: str = "Sheet1") -> CatalogueReading:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    path = folder / "katalog.xlsx"
    book.save(path)
    book.close()
    return read_catalogue(path)


def test_a_full_row_is_read(tmp_path: Path) -> None:
    reading = read_csv(
        tmp_path,
        f'{HEADER}\nih20,Internet 20 Mbps,Rp275.000,/bulan,,ya,Bebas FUP,"nama, alamat",Teknisi datang.\n',
    )
    [item] = reading.items
    assert reading.problems == ()
    assert (item.code, item.name, item.price_idr, item.unit) == ("IH20", "Internet 20 Mbps", 275_000, "bulan")
    assert (item.stock, item.active, item.description) == (None, True, "Bebas FUP")
    assert (item.needs, item.after_payment) == (("nama", "alamat"), "Teknisi datang.")
    assert not item.sold_out


def test_columns_may_stand_in_any_order_and_case_and_others_are_the_owners_own(tmp_path: Path) -> None:
    reading = read_csv(tmp_path, " Harga ;MODAL;Nama;Setelah Bayar;KODE\n10.000;8.000;Kopi;Selamat;K1\n")
    [item] = reading.items
    assert (item.code, item.price_idr, item.after_payment) == ("K1", 10_000, "Selamat")
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("kode;nama;harga\nK1;Kopi;10000\n", "utf-8-sig"),
        ("sep=;\r\nkode;nama;harga\r\nK1;Kopi;10000\r\n", "utf-8"),
        ("kode\tnama\tharga\nK1\tKopi\t10000\n", "utf-16"),
    ],
)
def test_csv_is_read_as_excel_and_windows_save_it(tmp_path: Path, text: str, encoding: str) -> None:
    reading = read_csv(tmp_path, text, encoding)
    assert [(item.code, item.price_idr) for item in reading.items] == [("K1", 10_000)]
    assert reading.problems == ()


def test_an_old_windows_encoding_is_read_and_reported(tmp_path: Path) -> None:
    reading = read_csv(tmp_path, "kode,nama,harga\nC1,Café latté,20000\n", "cp1252")
    assert reading.items[0].name == "Café latté"
    [problem] = reading.problems
    assert "simpan ulang sebagai UTF-8" in problem


def test_xlsx_numbers_booleans_and_empty_rows_are_understood(tmp_path: Path) -> None:
    reading = read_xlsx(
        tmp_path,
        [
            ["kode", "nama", "harga", "stok", "aktif"],
            [101, "Kopi", 10_000.0, 5.0, True],
            [None, None, None, None, None],
            ["K2", "Teh", "8.000", "habis", False],
        ],
    )
    assert reading.problems == ()
    first, second = reading.items
    assert (first.code, first.price_idr, first.stock, first.active) == ("101", 10_000, 5, True)
    assert (second.row, second.sold_out, second.active) == (4, True, False)


def test_a_sheet_called_katalog_wins_over_the_first(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["catatan", "pribadi"])
    sheet = book.create_sheet("Katalog")
    sheet.append(["kode", "nama", "harga"])
    sheet.append(["K1", "Kopi", 10_000])
    book.save(tmp_path / "katalog.xlsx")
    book.close()
    assert [item.code for item in read_catalogue(tmp_path / "katalog.xlsx").items] == ["K1"]


def test_each_wrong_cell_names_row_column_value_and_remedy(tmp_path: Path) -> None:
    reading = read_csv(
        tmp_path,
        "kode,nama,harga,stok,aktif\n"
        "K1,Kopi,Rp 150rb,,\n"
        "K2,Teh,-5000,,\n"
        "K3,Susu,150.5,,\n"
        "K4,Roti,,,\n"
        "K5,,5000,,\n"
        "kode lima,Kue,5000,,\n"
        ",Kue,5000,,\n"
        "K6,Mi,5000,banyak,\n"
        "K7,Nasi,5000,-1,mungkin\n"
        "K8,Air,0,,\n"
        "K9,Es,2000,,\n",
    )
    assert [item.code for item in reading.items] == ["K9"]
    text = "\n".join(reading.problems)
    for expected in (
        "Baris 2: kolom harga 'Rp 150rb' tidak bisa dibaca sebagai harga; "
        "tulis angka lengkapnya, misalnya 150000.",
        "Baris 3: kolom harga '-5000' tidak boleh minus",
        "Baris 4: kolom harga '150.5'",
        "Baris 5: kolom harga kosong",
        "Baris 6: kolom nama kosong",
        "Baris 7: kolom kode 'kode lima' tidak bisa dipakai; tulis satu kata",
        "Baris 8: kolom kode kosong; tulis satu kata",
        "Baris 9: kolom stok 'banyak'",
        "Baris 10: kolom stok '-1'",
        "Baris 10: kolom aktif 'mungkin' tidak bisa dipakai; tulis ya atau tidak",
        "Baris 11: kolom harga 0",
    ):
        assert expected in text
    assert len(reading.problems) == 11


def test_a_code_counts_once_whatever_its_case(tmp_path: Path) -> None:
    reading = read_csv(tmp_path, "kode,nama,harga\nk1,Kopi,10000\nK1,Teh,8000\n")
    assert [item.name for item in reading.items] == ["Kopi"]
    assert reading.problems == (
        "Baris 3: kode K1 sudah dipakai di baris 2; baris ini dilewati, beri kode lain.",
    )


def test_a_price_that_a_spreadsheet_shrank_a_thousandfold_is_pointed_out(tmp_path: Path) -> None:
    reading = read_xlsx(tmp_path, [["kode", "nama", "harga"], ["K1", "Kopi", 275.0]])
    assert reading.items[0].price_idr == 275
    assert "kalau maksudnya Rp275.000, tulis 275000" in reading.problems[0]


def test_missing_and_misspelt_columns_are_named(tmp_path: Path) -> None:
    reading = read_csv(tmp_path, "kode,nama,hrga\nK1,Kopi,10000\n")
    assert reading.items == ()
    assert "'hrga' tidak dikenal dan dilewati; mungkin maksudnya 'harga'" in reading.problems[0]
    assert "Kolom harga tidak ada" in reading.problems[1]


def test_a_column_that_is_there_twice_is_named(tmp_path: Path) -> None:
    reading = read_csv(tmp_path, "kode,nama,harga,harga\nK1,Kopi,10000,9000\n")
    assert reading.items[0].price_idr == 10_000
    assert "harga tertulis dua kali" in reading.problems[0]


def test_rows_before_an_unclosed_quote_are_kept_and_the_place_is_named(tmp_path: Path) -> None:
    reading = read_csv(tmp_path, 'kode,nama,harga\nK1,Kopi,10000\nK2,"Teh,8000\nK3,Susu,9000\n')
    assert [item.code for item in reading.items] == ["K1"]
    [problem] = reading.problems
    assert "tanda kutip tidak berpasangan" in problem


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "Katalog kosong"),
        (b"\n\n , ,\n", "Katalog kosong"),
        (b"kode,nama,harga\n", "baru berisi baris judul"),
        (b"\x00\x01\x02PK\x00", "bukan teks"),
        (b"\xff\xfe\x00", "rusak"),
        (bytes(range(1, 256)) * 3, "bukan teks"),
    ],
)
def test_an_empty_or_binary_csv_gives_one_clear_problem(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "katalog.csv"
    path.write_bytes(content)
    reading = read_catalogue(path)
    assert reading.items == ()
    [problem] = reading.problems
    assert expected in problem


@pytest.mark.parametrize("content", [b"", b"bukan excel", b"PK\x03\x04" + b"\x00" * 50])
def test_garbage_named_xlsx_gives_one_clear_problem(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "katalog.xlsx"
    path.write_bytes(content)
    assert read_catalogue(path).problems == (
        "Berkas rusak atau bukan .xlsx; buka di Excel lalu simpan ulang sebagai .xlsx.",
    )


def test_a_missing_file_and_a_folder_of_that_name_are_problems_too(tmp_path: Path) -> None:
    (tmp_path / "katalog.csv").mkdir()
    for name in ("katalog.csv", "katalog.xlsx"):
        [problem] = read_catalogue(tmp_path / name).problems
        assert "tidak bisa dibuka" in problem


def test_a_giant_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("billing.tables.MAX_FILE_BYTES", 10)
    [problem] = read_csv(tmp_path, "kode,nama,harga\n").problems
    assert "20 MB" in problem


def test_xlsx_is_used_when_both_are_there_and_the_owner_is_told(tmp_path: Path) -> None:
    assert find_catalogue(tmp_path) == (None, ())
    (tmp_path / "Katalog.CSV").write_text("kode,nama,harga\n")
    assert find_catalogue(tmp_path) == (tmp_path / "Katalog.CSV", ())
    (tmp_path / "katalog.xlsx").write_bytes(b"")
    path, [problem] = find_catalogue(tmp_path)
    assert path == tmp_path / "katalog.xlsx"
    assert "yang dipakai katalog.xlsx, isi Katalog.CSV tidak dibaca" in problem
