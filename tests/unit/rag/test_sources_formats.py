import io
import logging
from pathlib import Path

import docx
import pypdf
import pytest
from reportlab.pdfgen.canvas import Canvas

from billing.catalogue import CatalogueItem
from rag.normalise import search_text
from rag.sources import ChunkKind
from rag.sources.catalogue import item_chunk, read_catalogue_chunks
from rag.sources.chunk import SourceError
from rag.sources.docx import read_docx
from rag.sources.faq import looks_like_faq, read_faq
from rag.sources.pdf import read_pdf
from rag.sources.prose import read_text
from rag.sources.retrieval import read_passages

COD = {"id": "cod", "question": "Bisa COD?", "answer": "Bisa, ongkos Rp5.000.", "paraphrases": ["bs cod gk"]}


def pdf_bytes(*pages: list[str]) -> bytes:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for lines in pages:
        for number, line in enumerate(lines):
            canvas.drawString(72, 760 - 18 * number, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def docx_bytes(document: "docx.document.Document") -> bytes:
    buffer = io.BytesIO()
    document.save(buffer)
    return buffer.getvalue()


# FAQ


def test_an_faq_entry_is_one_chunk_found_by_question_paraphrases_and_answer() -> None:
    [chunk] = read_faq([COD], source="faq_data.json").chunks
    assert (chunk.id, chunk.kind, chunk.source) == ("faq:cod", ChunkKind.FAQ, "faq_data.json")
    assert chunk.title == "Bisa COD?"
    assert chunk.text == "T: Bisa COD?\nJuga ditanya: bs cod gk\nJ: Bisa, ongkos Rp5.000."
    assert chunk.answer == "Bisa, ongkos Rp5.000."
    assert chunk.embed_text == "Bisa COD?\nbs cod gk\nBisa, ongkos Rp5.000."
    phrasings = ["Bisa COD?", "bs cod gk", "Bisa, ongkos Rp5.000."]
    assert chunk.search_text.splitlines() == [search_text(phrasing) for phrasing in phrasings]


def test_indonesian_keys_a_wrapping_object_and_a_single_paraphrase_are_accepted() -> None:
    entry = {"pertanyaan": "Jam buka?", "jawaban": "08.00", "parafrase": "buka jam brp"}
    [chunk] = read_faq({"faq": [entry]}, source="faq.json").chunks
    assert chunk.title == "Jam buka?"
    assert "buka jam brp" in chunk.embed_text


def test_an_id_made_from_the_question_survives_a_change_of_case_and_of_the_answer() -> None:
    [first] = read_faq([{"question": "Jam buka?", "answer": "08.00"}], source="a").chunks
    [second] = read_faq([{"question": "JAM  BUKA?", "answer": "09.00"}], source="a").chunks
    assert first.id == second.id
    assert len(first.id) == len("faq:") + 12
    assert first.content_hash != second.content_hash


def test_ids_with_odd_characters_become_slugs_and_numbers_are_fine() -> None:
    document = [COD | {"id": 'Ongkir "Luar" Jawa'}, COD | {"id": 7}, COD | {"id": True}]
    first, second, third = read_faq(document, source="a").chunks
    assert (first.id, second.id) == ("faq:ongkir-luar-jawa", "faq:7")
    assert len(third.id) == len("faq:") + 12


def test_wrong_faq_entries_are_named_and_the_others_taken() -> None:
    reading = read_faq(
        [
            "bukan entri",
            {"question": "Tanpa jawaban?"},
            {"answer": "Tanpa tanya"},
            {"question": "Bukan teks?", "answer": 5},
            COD,
            COD,
            {"question": "Sakit?", "answer": "Istirahat", "paraphrases": ["sakit", 5]},
            {"question": "Aneh?", "answer": "Ya", "paraphrases": {"a": "b"}},
        ],
        source="a",
    )
    assert [chunk.title for chunk in reading.chunks] == ["Bisa COD?", "Sakit?", "Aneh?"]
    expected = [
        "Entri 1 bukan tanya jawab",
        "Entri 2 ('Tanpa jawaban?') tidak punya jawaban (answer)",
        "Entri 3 ('Tanpa tanya') tidak punya pertanyaan (question)",
        "Entri 4 ('Bukan teks?') tidak punya jawaban (answer)",
        "Entri 6 ('Bisa COD?') memakai id atau pertanyaan yang sudah ada (faq:cod)",
        "Entri 7 ('Sakit?'): parafrase yang bukan teks dilewati",
        "Entri 8 ('Aneh?'): parafrase yang bukan teks dilewati",
    ]
    assert len(reading.problems) == len(expected)
    for problem, start in zip(reading.problems, expected, strict=True):
        assert problem.startswith(start)


def test_a_document_that_is_no_list_of_questions_is_refused_with_an_example() -> None:
    for document in ({"a": 1}, "teks", 5, None):
        with pytest.raises(SourceError, match="question"):
            read_faq(document, source="a")
    assert looks_like_faq([{"pertanyaan": "?"}])
    assert not looks_like_faq([{"text": "?"}])
    assert not looks_like_faq("faq")


# Ready-made passages


def test_a_passage_keeps_its_text_title_and_plain_metadata() -> None:
    document = [
        {"text": "Kantor di Klaten.", "metadata": {"id": "kantor", "judul": "Alamat", "n": 1, "x": []}},
        {"text": "Tanpa metadata, " + "panjang " * 20},
    ]
    first, second = read_passages(document, source="retrieval_data.json").chunks
    assert (first.id, first.title, first.text) == ("data:kantor", "Alamat", "Kantor di Klaten.")
    assert first.embed_text == "Alamat\nKantor di Klaten."
    assert dict(first.metadata) == {"id": "kantor", "judul": "Alamat", "n": "1"}
    assert first.search_text == "alamat\nkantor di klaten"
    assert len(second.id) == len("data:") + 12
    assert len(second.title) == 60
    assert second.answer is None


def test_wrong_passages_are_named_and_the_others_taken() -> None:
    document = [{"text": ""}, 5, {"text": "a"}, {"text": "a"}, {"text": "b " * 20_000}]
    reading = read_passages(document, source="a")
    assert [chunk.text for chunk in reading.chunks] == ["a"]
    assert [problem.split(" ")[1] for problem in reading.problems] == ["1", "2", "4", "5"]
    with pytest.raises(SourceError, match="bukan daftar"):
        read_passages({"text": "a"}, source="a")


# Catalogue


def item(**changes: object) -> CatalogueItem:
    fields: dict[str, object] = {"code": "IH20", "name": "Internet 20 Mbps", "price_idr": 275_000, "row": 2}
    return CatalogueItem(**(fields | changes))  # type: ignore[arg-type] # Test data by field name.


def test_a_row_reads_as_one_natural_line() -> None:
    full = item_chunk(item(unit="bulan", stock=None, description="Bebas FUP"), source="katalog.csv")
    assert full.text == "Internet 20 Mbps (kode IH20): Rp275.000 per bulan. Stok tersedia. Bebas FUP."
    assert (full.id, full.kind, full.title) == ("katalog:IH20", ChunkKind.CATALOGUE, "Internet 20 Mbps")
    texts = [item_chunk(item(stock=n, description=d), source="k").text for n, d in ((0, "Segera!"), (3, ""))]
    assert texts[0] == "Internet 20 Mbps (kode IH20): Rp275.000. Stok habis. Segera!"
    assert texts[1] == "Internet 20 Mbps (kode IH20): Rp275.000. Stok sisa 3."


def test_a_row_is_found_by_the_words_that_customers_use() -> None:
    chunk = item_chunk(item(unit="bulan"), source="katalog.csv")
    for question in ("brp hrga paket 20mbps", "harga ih20", "IH 20", "275rb"):
        assert set(search_text(question).split()) - {"berapa"} <= set(chunk.search_text.split())


def test_what_is_sent_after_payment_is_nowhere_in_the_chunk() -> None:
    chunk = item_chunk(item(after_payment="https://rahasia.example/unduh"), source="katalog.csv")
    assert "rahasia" not in repr(chunk)


def test_inactive_rows_make_no_chunk(tmp_path: Path) -> None:
    path = tmp_path / "katalog.csv"
    path.write_text("kode,nama,harga,aktif\nA1,Kopi,10000,tidak\nA2,Teh,8000,ya\nA3,Es,x,ya\n")
    reading = read_catalogue_chunks(path, source="katalog.csv")
    assert [chunk.id for chunk in reading.chunks] == ["katalog:A2"]
    assert len(reading.problems) == 1


# Prose


def test_markdown_takes_its_title_from_its_first_heading() -> None:
    text = "# Panduan Garansi\n\n## Elektronik\n\nSatu tahun."
    [chunk] = read_text(text, source="garansi.md", stem="garansi", markdown=True).chunks
    assert (chunk.id, chunk.title) == ("garansi:1", "Panduan Garansi > Elektronik")
    assert chunk.text == "Panduan Garansi > Elektronik\n\nSatu tahun."


def test_plain_text_takes_its_title_from_its_name() -> None:
    chunks = read_text("Satu. " * 800, source="a", stem="Cara_Pesan (2)", markdown=False).chunks
    assert chunks[0].title == "Cara Pesan (2)"
    assert [chunk.id for chunk in chunks] == [f"cara-pesan-2:{n}" for n in range(1, len(chunks) + 1)]
    assert len(chunks) > 1


def test_an_empty_document_is_refused() -> None:
    with pytest.raises(SourceError, match="kosong"):
        read_text("  \n", source="a", stem="a", markdown=True)


# PDF


def test_a_pdf_gives_its_text_and_names_its_pages_without_any() -> None:
    data = pdf_bytes(["Retur paling lambat 7 hari.", "Ongkir Rp20.000"], [], ["Halaman tiga."])
    reading = read_pdf(data, source="retur.pdf", stem="retur")
    text = "\n".join(chunk.text for chunk in reading.chunks)
    assert "Retur paling lambat 7 hari." in text
    assert "Halaman tiga." in text
    [problem] = reading.problems
    assert problem.startswith("Halaman 2 tidak berisi teks")


def test_a_scanned_pdf_is_refused_with_what_to_do() -> None:
    with pytest.raises(SourceError, match="ketik ulang"):
        read_pdf(pdf_bytes([], []), source="a.pdf", stem="a")


def test_a_pdf_with_a_password_is_refused_and_one_locked_only_against_changes_is_read() -> None:
    def locked(user_password: str) -> bytes:
        writer = pypdf.PdfWriter(clone_from=pypdf.PdfReader(io.BytesIO(pdf_bytes(["Rahasia umum."]))))
        writer.encrypt(user_password, "pemilik", algorithm="AES-256")
        buffer = io.BytesIO()
        writer.write(buffer)
        return buffer.getvalue()

    with pytest.raises(SourceError, match="kata sandi"):
        read_pdf(locked("sandi"), source="a.pdf", stem="a")
    assert "Rahasia umum." in read_pdf(locked(""), source="a.pdf", stem="a").chunks[0].text


def test_a_damaged_pdf_is_refused_in_one_sentence_and_the_terminal_stays_clean(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = pdf_bytes(["Halo."])
    level = logging.getLogger("pypdf").level
    for data in (b"", b"bukan pdf", b"%PDF-1.4\n%%EOF", whole[: len(whole) // 3]):
        with pytest.raises(SourceError):
            read_pdf(data, source="a.pdf", stem="a")
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("pypdf").level == level


# Word


def test_a_word_document_gives_headings_paragraphs_lists_and_table_rows_in_order() -> None:
    document = docx.Document()
    document.add_heading("Aturan Toko", 0)
    document.add_heading("Ongkir", 1)
    document.add_paragraph("Tarif per kota:")
    document.add_paragraph("dihitung per kg", style="List Bullet")
    table = document.add_table(rows=0, cols=2)
    for left, right in (("Kota", "Ongkir"), ("Solo", "Rp20.000"), ("Jogja", "Rp25.000")):
        cells = table.add_row().cells
        cells[0].text, cells[1].text = left, right
    document.add_paragraph("Luar Jawa tanya admin.")
    [chunk] = read_docx(docx_bytes(document), source="aturan.docx", stem="aturan").chunks
    assert chunk.id == "aturan:1"
    assert chunk.text == (
        "Aturan Toko > Ongkir\n\nTarif per kota:\n\n- dihitung per kg\n\nKota: Solo; Ongkir: Rp20.000\n\n"
        "Kota: Jogja; Ongkir: Rp25.000\n\nLuar Jawa tanya admin."
    )


def test_merged_cells_are_said_once_and_a_single_column_has_no_labels() -> None:
    document = docx.Document()
    wide = document.add_table(rows=2, cols=3)
    wide.cell(0, 0).merge(wide.cell(0, 2)).text = "Jam buka"
    wide.cell(1, 0).text = "08.00"
    narrow = document.add_table(rows=2, cols=1)
    narrow.cell(0, 0).text, narrow.cell(1, 0).text = "Satu", "Dua"
    [chunk] = read_docx(docx_bytes(document), source="a.docx", stem="jam").chunks
    assert chunk.text == "Jam\n\nJam buka\n\n08.00\n\nSatu\n\nDua"


@pytest.mark.parametrize("data", [b"", b"bukan word", b"PK\x03\x04" + b"\x00" * 40])
def test_garbage_named_docx_is_refused_with_what_to_do(data: bytes) -> None:
    with pytest.raises(SourceError, match=r"simpan ulang sebagai \.docx"):
        read_docx(data, source="a.docx", stem="a")


# Chunks


def test_equal_content_has_an_equal_hash_and_any_difference_another() -> None:
    def digest(**changes: object) -> str:
        return read_faq([COD | changes], source="a").chunks[0].content_hash

    assert digest() == digest()
    changed = [
        digest(id="cod2"),
        digest(question="Bisa cod?!"),
        digest(answer="Bisa."),
        digest(paraphrases=["cod dong"]),
    ]
    assert len({digest(), *changed}) == 5


def test_what_no_database_takes_is_taken_out() -> None:
    entry = {"question": "Emoji\ud83d?", "answer": "Baris\r\nnol\x00"}
    [chunk] = read_faq([entry], source="a").chunks
    assert chunk.title == "Emoji??"
    assert chunk.answer == "Baris\nnol"
    assert repr(chunk).encode()
