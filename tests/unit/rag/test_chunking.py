from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rag.chunking import CHARS_PER_TOKEN, MAX_TOKENS, chunk_prose

SENTENCE = "Barang yang sudah dibuka segelnya tidak bisa ditukar kecuali cacat dari pabrik. "


def estimated_tokens(text: str) -> int:
    return round(len(text) / CHARS_PER_TOKEN)


def test_a_short_document_is_one_passage_with_its_title_in_front() -> None:
    [passage] = chunk_prose("Toko buka tiap hari.\n\nLibur hanya saat Lebaran.", title="Jam buka")
    assert passage.title == "Jam buka"
    assert passage.text == "Jam buka\n\nToko buka tiap hari.\n\nLibur hanya saat Lebaran."


def test_a_long_section_starts_its_own_passage_with_the_heading_path_in_front() -> None:
    text = f"# Garansi\n\n## Elektronik\n\n{SENTENCE * 10}\n\n## Pakaian\n\n{SENTENCE * 10}"
    first, second = chunk_prose(text, title="Panduan")
    assert first.title == "Panduan > Garansi > Elektronik"
    assert second.title == "Panduan > Garansi > Pakaian"
    assert second.text.startswith("Panduan > Garansi > Pakaian\n\n")
    assert "Elektronik" not in second.text


def test_small_neighbouring_sections_share_a_passage_and_keep_their_headings() -> None:
    [passage] = chunk_prose("## Jam\n\nSenin 8 pagi.\n\n## Alamat\n\nJalan Mawar 3.", title="Toko")
    assert passage.title == "Toko"
    assert passage.text == "Toko\n\nJam\n\nSenin 8 pagi.\n\nAlamat\n\nJalan Mawar 3."


def test_the_title_is_not_said_twice_when_the_document_opens_with_it() -> None:
    [passage] = chunk_prose("# Garansi\n\nSatu tahun.", title="Garansi")
    assert passage.text == "Garansi\n\nSatu tahun."
    [passage] = chunk_prose("# Garansi\n# Pakaian\nSatu bulan.", title="Garansi")
    assert passage.text == "Garansi > Pakaian\n\nSatu bulan."


def test_a_subsection_is_followed_by_a_section_of_a_higher_level() -> None:
    text = f"# A\n\n### B\n\n{SENTENCE * 10}\n\n# C\n\n{SENTENCE * 10}"
    assert [p.title for p in chunk_prose(text, title="T")] == ["T > A > B", "T > C"]


def test_paragraphs_stay_whole_where_they_fit() -> None:
    paragraphs = [f"Alinea {n}. {SENTENCE * 5}".strip() for n in range(8)]
    passages = chunk_prose("\n\n".join(paragraphs), title="Aturan")
    assert len(passages) > 1
    assert all(any(paragraph in passage.text for passage in passages) for paragraph in paragraphs)


def test_a_paragraph_that_is_too_long_is_cut_between_sentences() -> None:
    passages = chunk_prose(SENTENCE * 60, title="Aturan")
    assert len(passages) > 2
    assert all(passage.text.endswith("pabrik.") for passage in passages)


def test_an_endless_word_is_cut_anywhere_rather_than_breaking_the_limit() -> None:
    passages = chunk_prose("x" * 10_000, title="Aneh")
    assert all(estimated_tokens(passage.text) <= MAX_TOKENS + 10 for passage in passages)
    assert sum(passage.text.count("x") for passage in passages) == 10_000


def test_a_hash_inside_a_code_block_or_a_plain_text_file_is_no_heading() -> None:
    [fenced] = chunk_prose("```\n# bukan judul\n```", title="T")
    [plain] = chunk_prose("# nomor 1\nbaris dua", title="T", markdown=False)
    assert fenced.title == plain.title == "T"
    assert "# bukan judul" in fenced.text
    assert "# nomor 1" in plain.text


def test_an_empty_text_has_no_passage() -> None:
    assert chunk_prose(" \n\n\t\n", title="Kosong") == []


_LINE = st.one_of(
    st.text(alphabet="abcde .,!", max_size=400),
    st.builds(lambda n, s: f"{'#' * n} {s}", st.integers(1, 4), st.text(alphabet="fghij ", max_size=30)),
    st.just(""),
    st.just("```"),
)


@given(st.lists(_LINE, max_size=40), st.booleans())
def test_no_word_is_lost_and_no_passage_is_too_long(lines: list[str], markdown: bool) -> None:
    text = "\n".join(lines)
    passages = chunk_prose(text, title="Judul", markdown=markdown)
    got = Counter(word for passage in passages for word in passage.text.split())
    body = Counter(word for line in lines if not line.startswith("#") for word in line.split())
    assert not body - got
    # Two equal headings above one passage may be said once, but never not at all.
    assert {word for word in text.split() if word.strip("#")} <= set(got)
    for passage in passages:
        head = passage.text.split("\n\n")[0]
        assert estimated_tokens(passage.text) <= MAX_TOKENS + estimated_tokens(head) + 10
