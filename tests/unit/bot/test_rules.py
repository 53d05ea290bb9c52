"""What a whole message means by itself, and what is none of the rules' affair."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules import MAX_RULE_WORDS, Rule, right_in, rule_for, rule_for_burst
from rag.normalise import normalise, words

GREETINGS = ["p", "P", "pppp", "kak", "Kakkkk", "kak?", "min", "halo", "Halo kak", "hai min", "ping", "tes"]
GREETINGS += ["selamat pagi", "pagi kak", "met malam min", "permisi", "punten", "kulo nuwun", "sugeng enjing"]
GREETINGS += ["nuwun sewu", "halo!!!", "  halo  "]
SALAMS = ["assalamualaikum", "Assalamu'alaikum", "assalamualaikum wr wb", "Assalamualaikum kak", "askum"]
THANKS = [
    "ok",
    "oke",
    "okeee",
    "Ok kak",
    "siap",
    "siap kak",
    "makasih",
    "makasih banyak ya kak",
    "terima kasih",
]
THANKS += [
    "mksh",
    "thx",
    "suwun",
    "matur nuwun",
    "matur suwun",
    "nuhun",
    "👍",
    "🙏🙏",
    "😊",
    "👍🏽",
    "❤️",
    "...",
]
PEOPLE = [
    "admin",
    "Admin!",
    "admin?",
    "min admin",
    "minta admin",
    "tolong admin",
    "mau ke admin",
    "cs",
    "ADMIN KAK",
]
BOTS = ["ini bot?", "Ini bot ya", "bot?", "ini robot?", "ini ai?", "kamu bot ya kak"]
PRIVACY = ["privasi", "Privasi kak", "info privasi"]

# Each of these needs an answer, or confirms something: the conversation decides, no rule does.
NOT_RULES = [
    "biaya admin berapa?",
    "menu hari ini apa?",
    "admin fee berapa",
    "jam kerja admin",
    "ada admin ga",
]
NOT_RULES += ["ya", "iya", "ya kak", "Ya!", "jadi", "jadi kak", "gas", "gas kak", "boleh", "boleh kak", "sip"]
NOT_RULES += ["sip kak", "nggih", "mau", "kak ya", "dong", "nih", "yah"]
NOT_RULES += ["bisa kurang?", "bisa kurang kak", "kurangin dong", "nego", "pira regane", "regane piro mas"]
NOT_RULES += [
    "?",
    "??",
    "？",
    "❓",
    "kak harga",
    "halo harga berapa",
    "p mau tanya",
    "pagi mau pesan",
    "1",
    "2",
    "ip20",
]
NOT_RULES += ["privasi data saya gimana", "ini bot apa orang ya", "السلام عليكم", "makasih tapi kok mahal"]
NOT_RULES += ["ok tapi ongkirnya berapa", "siap kirim?", "bot wifi ada?"]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        *((Rule.GREETING, text) for text in GREETINGS),
        *((Rule.SALAM, text) for text in SALAMS),
        *((Rule.THANKS, text) for text in THANKS),
        *((Rule.ADMIN, text) for text in PEOPLE),
        *((Rule.BOT, text) for text in BOTS),
        *((Rule.PRIVACY, text) for text in PRIVACY),
        (Rule.NOTHING, ""),
        (Rule.NOTHING, "  \n "),
    ],
)
def test_a_whole_message_is_its_rule(rule: Rule, text: str) -> None:
    assert rule_for(text) is rule


@pytest.mark.parametrize("text", NOT_RULES)
def test_what_asks_or_confirms_is_no_rule(text: str) -> None:
    assert rule_for(text) is None


@given(st.text(max_size=300))
def test_no_text_whatever_breaks_the_rules(text: str) -> None:
    rule = rule_for(text)
    if rule is not None and rule not in (Rule.THANKS, Rule.NOTHING):
        assert len(words(normalise(text))) <= MAX_RULE_WORDS + 1


@given(
    st.lists(
        st.sampled_from(["admin", "bot", "halo", "makasih", "privasi", "ya", "p", "ok", "assalamualaikum"]),
        min_size=5,
    )
)
def test_a_text_of_five_words_or_more_is_never_a_rule(parts: list[str]) -> None:
    assert rule_for(" ".join(parts)) is None


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["halo", "harga ongkir berapa?"], (None, "harga ongkir berapa?")),
        (["harga ongkir berapa?", "makasih"], (None, "harga ongkir berapa?")),
        (["assalamualaikum", "kak", "ada stok?", "yang merah"], (None, "ada stok?\nyang merah")),
        (["halo", "makasih"], (Rule.GREETING, "")),
        (["p", "assalamualaikum"], (Rule.SALAM, "")),
        (["ok", "👍"], (Rule.THANKS, "")),
        (["", ""], (Rule.NOTHING, "")),
        (["ini bot?", "halo"], (Rule.BOT, "")),
        (["pesananku mana?", "admin"], (Rule.ADMIN, "pesananku mana?")),
        (["halo", "?"], (None, "?")),
        (["makasih", "ya"], (None, "ya")),
    ],
)
def test_manners_around_a_question_are_no_message_of_their_own(
    parts: list[str], expected: tuple[Rule | None, str]
) -> None:
    assert rule_for_burst(parts) == expected


@pytest.mark.parametrize(
    ("parts", "right"),
    [
        (["masih ada kak?", "privasi"], Rule.PRIVACY),
        (["privasi", "ya, hapus data saya"], Rule.ERASE_NOW),
        (["Ekspor data saya kak"], Rule.EXPORT),
        (["kalau saya mau hapus data saya gimana?"], None),
        (["halo", "admin"], None),
        ([], None),
    ],
)
def test_a_right_counts_wherever_it_stands_in_a_burst(parts: list[str], right: Rule | None) -> None:
    assert right_in(parts) is right
