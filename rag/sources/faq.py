"""FAQ files: one chunk per question and answer."""

from collections.abc import Mapping

from billing.rupiah import amounts_in
from rag.normalise import normalise
from rag.sources.chunk import Chunk, ChunkKind, SourceError, SourceReading, id_part, make_chunk, short_hash

_QUESTION = ("question", "pertanyaan")
_ANSWER = ("answer", "jawaban")
_PARAPHRASES = ("paraphrases", "parafrase")
# Opens the line of paraphrases in a passage; rag.prompt and the model know it by this.
ALSO_ASKED = "Juga ditanya: "
# Five passages stand in every prompt, so paraphrases get no more than this of each ...
_MAX_ALSO_ASKED = 500
# ... and none where the prompt would cut off the end of a long answer for them.
_MAX_TEXT = 1_200
_EXAMPLE = '[{"question": "Bisa COD?", "answer": "Bisa, Kak."}]'


def looks_like_faq(document: object) -> bool:
    """True for a JSON document of this shape, whatever its file is called."""
    if isinstance(document, dict):
        return "faq" in document
    return isinstance(document, list) and any(
        isinstance(entry, dict) and any(key in entry for key in _QUESTION) for entry in document
    )


def read_faq(document: object, *, source: str) -> SourceReading:
    """Chunks of a parsed FAQ file. Raises SourceError when it is no list of questions at all."""
    entries = document.get("faq") if isinstance(document, dict) else document
    if not isinstance(entries, list):
        raise SourceError(f"Isi bukan daftar tanya jawab; tulis seperti {_EXAMPLE}.")
    chunks: dict[str, Chunk] = {}
    problems: list[str] = []
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict):
            problems.append(f"Entri {number} bukan tanya jawab; tulis seperti {_EXAMPLE[1:-1]}.")
            continue
        question, answer = _text(entry, _QUESTION), _text(entry, _ANSWER)
        if not question or not answer:
            lacking = "pertanyaan (question)" if not question else "jawaban (answer)"
            shown = f" ('{_excerpt(question or answer)}')" if question or answer else ""
            problems.append(f"Entri {number}{shown} tidak punya {lacking} berupa teks; lengkapi atau hapus.")
            continue
        paraphrases, well_formed = _paraphrases(entry)
        if not well_formed:
            problems.append(
                f"Entri {number} ('{_excerpt(question)}'): parafrase yang bukan teks dilewati; "
                'tulis sebagai daftar teks ["...", "..."].'
            )
        chunk = _chunk(entry, question, answer, paraphrases, source)
        if chunk.id in chunks:
            problems.append(
                f"Entri {number} ('{_excerpt(question)}') memakai id atau pertanyaan yang sudah ada "
                f"({chunk.id}) dan dilewati; gabungkan keduanya atau beri id lain."
            )
            continue
        chunks[chunk.id] = chunk
    return SourceReading(chunks=list(chunks.values()), problems=problems)


def _chunk(
    entry: Mapping[str, object], question: str, answer: str, paraphrases: list[str], source: str
) -> Chunk:
    given = entry.get("id")
    # Numbers are fine as ids; a true or a nested value is a slip and counts as none.
    named = id_part(str(given)) if isinstance(given, str | int) and not isinstance(given, bool) else ""
    everything = [question, *paraphrases, answer]
    return make_chunk(
        id=f"faq:{named or short_hash(normalise(question))}",
        source=source,
        kind=ChunkKind.FAQ,
        title=question,
        text=_text_of(question, paraphrases, answer),
        searched="\n\n".join(everything),
        embed_text="\n".join(everything),
        answer=answer,
    )


def _text_of(question: str, paraphrases: list[str], answer: str) -> str:
    """What the model reads: customers word their questions like the paraphrases more often than like T."""
    asked, answered = f"T: {question}", f"J: {answer}"
    room = min(_MAX_ALSO_ASKED, _MAX_TEXT - len(asked) - len(answered))
    kept: list[str] = []
    for paraphrase in paraphrases:
        line = " ".join(paraphrase.split())
        # An amount that a customer names is no price of the shop's, and must not pass for one.
        if amounts_in(line) or len(" / ".join([*kept, line])) > room:
            continue
        kept.append(line)
    also = [ALSO_ASKED + " / ".join(kept)] if kept else []
    return "\n".join([asked, *also, answered])


def _paraphrases(entry: Mapping[str, object]) -> tuple[list[str], bool]:
    value = next((entry[key] for key in _PARAPHRASES if entry.get(key) is not None), [])
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list):
        return [], False
    texts = [text.strip() for text in listed if isinstance(text, str) and text.strip()]
    return texts, all(isinstance(text, str) for text in listed)


def _text(entry: Mapping[str, object], keys: tuple[str, ...]) -> str:
    value = next((entry[key] for key in keys if key in entry), "")
    return value.strip() if isinstance(value, str) else ""


def _excerpt(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 60 else line[:59] + "…"
