import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.phone import normalise_phone

PREFIXES = ("08", "628", "+628", "+62 8", "+62-8", "00628", "+62 (0)8", "(+62) 8", "(0)8", "62 8")
# A mobile number has 9 to 13 digits when written with its zero.
rest = st.text("0123456789", min_size=7, max_size=11)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("0812-3456 789", "628123456789"),
        ("+62 812-3456-7890", "6281234567890"),
        ("62 812.3456.7890", "6281234567890"),
        ("62.812.3456.7890", "6281234567890"),
        ("+62 (0)812 3456 7890", "6281234567890"),
        ("(0812) 3456789", "628123456789"),
        ("00628123456789", "628123456789"),
        ("0812–3456–7890", "6281234567890"),
        (" 081262626262 ", "6281262626262"),
        ("0862123456", "62862123456"),
    ],
)
def test_numbers_are_brought_to_whatsapps_form(written: str, number: str) -> None:
    assert normalise_phone(written) == number


@pytest.mark.parametrize(
    "written",
    [
        "",
        "0812",
        "0218765432",
        "+6591234567",
        "275000",
        "1795411049503",
        "081234567890123",
        "08123456789 ya",
        "no. 08123456789",
        "812345678",
        "0812/3456/789",
        "0.8123456789",
        "INV/2026/10/0001",
    ],
)
def test_what_is_no_indonesian_mobile_number_is_none(written: str) -> None:
    assert normalise_phone(written) is None


@given(st.sampled_from(PREFIXES), rest, st.sampled_from(["", " ", "-", ".", " - "]))
def test_every_way_of_writing_gives_the_same_number(prefix: str, rest: str, gap: str) -> None:
    grouped = gap.join([rest[:2], *(rest[start : start + 4] for start in range(2, len(rest), 4))])
    assert normalise_phone(prefix + grouped) == "628" + rest


@given(st.text())
def test_any_text_gives_a_number_in_one_form_or_none(written: str) -> None:
    number = normalise_phone(written)
    assert number is None or (
        number.startswith("628") and number.isdigit() and normalise_phone(number) == number
    )
