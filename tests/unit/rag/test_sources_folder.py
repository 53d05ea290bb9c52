import json
import os
from pathlib import Path

import docx
import openpyxl
import pytest
from reportlab.pdfgen.canvas import Canvas

from rag.sources import FolderReading, KnowledgeFolderError, read_folder

FAQ = [{"id": "cod", "question": "Bisa COD?", "answer": "Bisa."}]
GARBAGE = bytes(range(256)) * 8


def report(reading: FolderReading, path: str) -> list[str]:
    return next(entry.problems for entry in reading.reports if entry.path == path)


def test_a_whole_folder_is_read_in_a_stable_order(tmp_path: Path) -> None:
    (tmp_path / "faq_data.json").write_text(json.dumps(FAQ))
    (tmp_path / "retrieval_data.json").write_text(json.dumps([{"text": "Data.", "metadata": {"id": "d"}}]))
    (tmp_path / "tanya.json").write_text(json.dumps([{"pertanyaan": "P?", "jawaban": "J", "id": "p"}]))
    (tmp_path / "katalog.csv").write_text("kode,nama,harga\nK1,Kopi,10000\n")
    (tmp_path / "dokumen" / "dalam").mkdir(parents=True)
    (tmp_path / "dokumen" / "dalam" / "Panduan Garansi.md").write_text("# Garansi\n\nSetahun.")
    (tmp_path / "catatan.txt").write_text("Catatan.")
    document = docx.Document()
    document.add_paragraph("Isi Word.")
    document.save(str(tmp_path / "surat.docx"))
    canvas = Canvas(str(tmp_path / "brosur.pdf"))
    canvas.drawString(72, 700, "Isi brosur.")
    canvas.save()
    reading = read_folder(tmp_path)
    assert [chunk.id for chunk in reading.chunks] == [
        "brosur:1",
        "catatan:1",
        "panduan-garansi:1",
        "faq:cod",
        "katalog:K1",
        "data:d",
        "surat:1",
        "faq:p",
    ]
    assert reading.chunks[2].source == "dokumen/dalam/Panduan Garansi.md"
    assert reading.problems == []
    assert [entry.taken for entry in reading.reports] == [1] * 8


def test_settings_images_drafts_and_hidden_files_need_no_word(tmp_path: Path) -> None:
    for name in ("toko.toml", "kalimat.toml", "logo.PNG", "~$surat.docx", "_draf.md", ".rahasia.md"):
        (tmp_path / name).write_bytes(GARBAGE)
    for folder in (".git", "_lama"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "isi.md").write_text("Jangan dibaca.")
    (tmp_path / "isi.md").write_text("Dibaca.")
    reading = read_folder(tmp_path)
    assert [(entry.path, entry.problems) for entry in reading.reports] == [("isi.md", [])]


def test_unknown_kinds_of_files_are_reported_as_not_read(tmp_path: Path) -> None:
    for name in ("lagu.mp3", "LISENSI", "harga.doc", "lama.xls", "pemasok.csv"):
        (tmp_path / name).write_text("a,b\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "katalog.csv").write_text("kode,nama,harga\nK1,Kopi,10000\n")
    reading = read_folder(tmp_path)
    assert reading.chunks == []
    assert "Jenis berkas .mp3 tidak dibaca" in report(reading, "lagu.mp3")[0]
    assert "Berkas tanpa akhiran nama tidak dibaca" in report(reading, "LISENSI")[0]
    assert "simpan ulang sebagai .docx" in report(reading, "harga.doc")[0]
    assert "simpan ulang sebagai .xlsx" in report(reading, "lama.xls")[0]
    assert "hanya katalog.xlsx atau katalog.csv" in report(reading, "pemasok.csv")[0]
    assert "langsung di folder" in report(reading, "sub/katalog.csv")[0]


def test_broken_files_never_stop_the_rest_and_each_has_one_sentence(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("a.pdf", "b.docx", "katalog.xlsx", "c.json", "d.md", "e.txt", "faq_rusak.json"):
        (tmp_path / name).write_bytes(GARBAGE)
    (tmp_path / "kosong.json").write_text("")
    (tmp_path / "kosong.md").write_text("")
    (tmp_path / "koma.json").write_text('[{"text": "a"},\n]')
    (tmp_path / "dalam.json").write_text("[" * 100_000)
    (tmp_path / "putus.md").symlink_to(tmp_path / "tidak-ada.md")
    (tmp_path / "folder.md").mkdir()
    (tmp_path / "folder.md" / "isi.txt").write_text("Tetap dibaca.")
    (tmp_path / "zz.md").write_text("Utuh.")
    reading = read_folder(tmp_path)
    assert [chunk.id for chunk in reading.chunks] == ["isi:1", "zz:1"]
    assert "baris 2 kolom 1" in report(reading, "koma.json")[0]
    assert "rusak" in report(reading, "dalam.json")[0]
    assert "tidak bisa dibuka" in report(reading, "putus.md")[0]
    assert "Ini folder, bukan berkas" in report(reading, "folder.md")[0]
    broken = [entry for entry in reading.reports if not entry.taken]
    assert len(broken) == 13
    assert all(len(entry.problems) == 1 and ";" in entry.problems[0] for entry in broken)
    assert capfd.readouterr() == ("", "")


def test_both_catalogues_give_one_set_of_rows_and_a_problem_that_names_the_one_used(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["kode", "nama", "harga"])
    book.active.append(["X1", "Dari Excel", 10_000])
    book.save(tmp_path / "katalog.xlsx")
    book.close()
    (tmp_path / "katalog.csv").write_text("kode,nama,harga\nC1,Dari CSV,10000\n")
    reading = read_folder(tmp_path)
    assert [chunk.id for chunk in reading.chunks] == ["katalog:X1"]
    [problem] = reading.problems
    assert problem.startswith("katalog.xlsx: Ada katalog.xlsx dan katalog.csv: yang dipakai katalog.xlsx")


def test_ids_that_another_file_already_has_are_refused_and_reported(tmp_path: Path) -> None:
    (tmp_path / "faq_a.json").write_text(json.dumps(FAQ))
    (tmp_path / "faq_b.json").write_text(json.dumps([*FAQ, {"question": "Lain?", "answer": "Ya."}]))
    (tmp_path / "panduan.md").write_text("Pertama.\n\n" + "Kalimat panjang sekali. " * 400)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "panduan.txt").write_text("Kedua.\n\n" + "Kalimat panjang sekali. " * 400)
    reading = read_folder(tmp_path)
    assert report(reading, "faq_b.json") == [
        "faq:cod sudah ada di faq_a.json dan dilewati; ganti id atau nama berkasnya."
    ]
    [problem] = report(reading, "sub/panduan.txt")
    assert problem.startswith("panduan:1, panduan:2, panduan:3 dan ")
    assert [entry.taken for entry in reading.reports if entry.path.startswith(("faq_b", "sub"))] == [1, 0]
    assert len({chunk.id for chunk in reading.chunks}) == len(reading.chunks)


def test_an_old_encoding_is_read_and_reported_for_every_kind_of_text(tmp_path: Path) -> None:
    (tmp_path / "kafe.txt").write_bytes("Café buka.".encode("cp1252"))
    (tmp_path / "faq.json").write_bytes('[{"question": "Café?", "answer": "Ya"}]'.encode("cp1252"))
    (tmp_path / "bom.md").write_bytes("Halo.".encode("utf-8-sig"))
    reading = read_folder(tmp_path)
    assert {chunk.title for chunk in reading.chunks} == {"Kafe", "Café?", "Bom"}
    assert [problem.split(":")[0] for problem in reading.problems] == ["faq.json", "kafe.txt"]


def test_a_giant_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.sources.folder.MAX_FILE_BYTES", 3)
    (tmp_path / "besar.md").write_text("Besar.")
    assert "20 MB" in report(read_folder(tmp_path), "besar.md")[0]


def test_links_to_folders_are_not_followed_and_reported(tmp_path: Path) -> None:
    (tmp_path / "isi.md").write_text("Isi.")
    (tmp_path / "putar").symlink_to(tmp_path)
    reading = read_folder(tmp_path)
    assert [chunk.id for chunk in reading.chunks] == ["isi:1"]
    assert "tidak diikuti" in report(reading, "putar")[0]


def test_a_folder_inside_that_may_not_be_opened_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tertutup").mkdir()
    # The tests may run as root, whom no permission stops.
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert report(read_folder(tmp_path), "tertutup") == ["Folder tidak bisa dibuka; periksa izinnya."]


def test_a_file_name_that_is_no_text_does_no_harm(tmp_path: Path) -> None:
    with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9.md"), "w", encoding="utf-8") as file:
        file.write("Isi.")
    [chunk] = read_folder(tmp_path).chunks
    assert chunk.source == "caf?.md"
    assert repr(chunk).encode()


def test_a_missing_empty_or_wrong_folder_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "berkas").write_text("")
    (tmp_path / "kosong").mkdir()
    (tmp_path / "kosong" / "toko.toml").write_text("")
    for name, remedy in (
        ("tidak-ada", "tidak ada; buat foldernya"),
        ("berkas", "adalah berkas, bukan folder"),
        ("kosong", "kosong; isi dengan salah satu dari katalog.xlsx"),
    ):
        with pytest.raises(KnowledgeFolderError, match=remedy):
            read_folder(tmp_path / name)


def test_a_folder_that_may_not_be_listed_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(KnowledgeFolderError, match="periksa izinnya"):
        read_folder(tmp_path)


def test_reading_the_same_folder_twice_gives_the_same_chunks(tmp_path: Path) -> None:
    (tmp_path / "faq.json").write_text(json.dumps(FAQ))
    (tmp_path / "a.md").write_text("# A\n\nIsi.")
    assert read_folder(tmp_path).chunks == read_folder(tmp_path).chunks


def test_the_list_of_shipping_costs_gives_no_passage_and_its_faults_are_told(tmp_path: Path) -> None:
    (tmp_path / "katalog.csv").write_text("kode,nama,harga\nK1,Kopi,10000\n")
    (tmp_path / "ongkir.csv").write_text("daerah,ongkir\nSolo,18rb\n")
    reading = read_folder(tmp_path)
    assert [chunk.id for chunk in reading.chunks] == ["katalog:K1"]
    assert "18000" in report(reading, "ongkir.csv")[0]
    (tmp_path / "ongkir.csv").write_text("daerah,ongkir\nSolo,18000\n")
    assert read_folder(tmp_path).problems == []
