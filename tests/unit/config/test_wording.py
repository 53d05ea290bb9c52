from __future__ import annotations

import re
from pathlib import Path

import pytest

from config.errors import ConfigError
from config.shop import Shop
from config.wording import ALWAYS, DEFAULTS, Wording, needs

ROOT = Path(__file__).parents[3]
SHOP = Shop(nama="Pelita Net", sapaan="Bun", panggilan="Bunda")
SENTENCES = needs(Wording.load(ROOT / "nowhere", SHOP).sentences)
# They stand inside other sentences, which address him.
PARTS = {"jual_ada_foto", "jual_ada_lokasi", "jual_baris_ongkir", "jual_belum_ongkir", "jual_status"}
FOR_CUSTOMERS = sorted(
    name for name in SENTENCES if not name.startswith(("admin_", "status_", "masuk_")) and name not in PARTS
)
FORBIDDEN = ("sebagai ai", "berdasarkan informasi yang tersedia", "terjadi kesalahan sistem")


def wording(folder: Path, own: str | None = None) -> Wording:
    if own is not None:
        (folder / "kalimat.toml").write_text(own, encoding="utf-8")
    return Wording.load(folder, SHOP)


def filled(words: Wording, name: str) -> str:
    return words.say(name, **{placeholder: f"<{placeholder}>" for placeholder in SENTENCES[name]})


@pytest.mark.parametrize("name", SENTENCES)
def test_every_sentence_has_a_default_and_takes_its_values(name: str, tmp_path: Path) -> None:
    said = filled(wording(tmp_path), name)
    assert said == said.strip() != ""
    assert "{" not in said
    for placeholder in SENTENCES[name]:
        assert f"<{placeholder}>" in said


@pytest.mark.parametrize("name", SENTENCES)
def test_no_sentence_sounds_like_a_machine(name: str, tmp_path: Path) -> None:
    said = filled(wording(tmp_path), name).lower()
    for phrase in FORBIDDEN:
        assert phrase not in said
    assert not re.search(r"\bAnda\b", filled(wording(tmp_path), name))


@pytest.mark.parametrize("name", SENTENCES)
def test_every_sentence_fits_in_one_bubble_with_whatsapps_own_marks(name: str, tmp_path: Path) -> None:
    said = filled(wording(tmp_path), name)
    assert len(said) <= 600
    assert not re.search(r"^#|\*\*|\]\(|\|.*\|", said, re.MULTILINE)
    assert said.count("*") % 2 == 0
    assert said.count("?") <= 1


@pytest.mark.parametrize("name", FOR_CUSTOMERS)
def test_the_customer_is_addressed_as_the_shop_does(name: str, tmp_path: Path) -> None:
    said = filled(wording(tmp_path), name)
    assert "Bun" in said
    assert "Kak" not in said


def test_only_sentences_for_closed_hours_name_a_time() -> None:
    assert {name for name in SENTENCES if "buka" in SENTENCES[name]} == {
        name for name in SENTENCES if name.endswith("_tutup")
    }


def test_the_offer_to_remember_an_answer_says_how_to_accept_it(tmp_path: Path) -> None:
    assert filled(wording(tmp_path), "admin_tawaran_faq").endswith("balas *ya* untuk menyimpan.")


def test_the_first_notice_names_both_ways_on(tmp_path: Path) -> None:
    said = filled(wording(tmp_path), "pengantar")
    assert "*privasi*" in said
    assert "*admin*" in said
    assert "disimpan" in said
    assert "asisten" in said


def test_the_bot_never_denies_what_it_is(tmp_path: Path) -> None:
    assert filled(wording(tmp_path), "bot").startswith("Iya Bun, aku asisten otomatis Pelita Net")


def test_the_file_of_defaults_explains_every_placeholder_that_is_always_there() -> None:
    head = DEFAULTS.read_text(encoding="utf-8").partition("pengantar =")[0]
    for placeholder in ALWAYS:
        assert f"{{{placeholder}}}" in head


def test_the_owners_sentences_take_the_place_of_ours(tmp_path: Path) -> None:
    own = wording(tmp_path, 'salam = "Hai {sapaan}, ini {toko} {{}}"\nadmin_terkirim = "Beres: {nama}"\n')
    assert own.say("salam") == "Hai Bun, ini Pelita Net {}"
    assert own.say("admin_terkirim", nama="Budi") == "Beres: Budi"
    assert own.say("salam_islam").startswith("Waalaikumsalam Bun")


def test_the_sample_shops_sentences_are_valid() -> None:
    assert Wording.load(ROOT / "data", SHOP).say("salam")


def test_what_a_customer_wrote_is_not_filled_in_again(tmp_path: Path) -> None:
    said = wording(tmp_path).say(
        "admin_butuh_jawaban",
        nama="{toko}",
        nomor="0812…34",
        pertanyaan="{0} {nama!r} %s",
        tautan="wa.me/62812",
    )
    assert "{toko} (0812…34)" in said
    assert "{0} {nama!r} %s" in said


def test_what_is_not_known_leaves_no_empty_brackets_and_no_gap(tmp_path: Path) -> None:
    own = wording(
        tmp_path,
        'admin_abaikan = "Oke, {nama} ({nomor}) tidak kujawab."\nadmin_lanjut = "Siap ({nama} {nomor})."\n',
    )
    assert own.say("admin_abaikan", nama="Budi ()", nomor="") == "Oke, Budi () tidak kujawab."
    assert own.say("admin_lanjut", nama="Budi", nomor="") == "Siap (Budi)."
    assert own.say("admin_abaikan", nama="Budi", nomor="0812…34") == "Oke, Budi (0812…34) tidak kujawab."


def test_a_value_can_not_pose_as_the_shop(tmp_path: Path) -> None:
    assert wording(tmp_path).say("salam", toko="Palsu") == wording(tmp_path).say("salam")


def test_a_forgotten_value_or_an_unknown_sentence_is_our_own_mistake(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="buka"):
        wording(tmp_path).say("belum_tahu_tutup")
    with pytest.raises(KeyError, match="tidak_ada"):
        wording(tmp_path).say("tidak_ada")


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        wording(
            tmp_path,
            """
            salm = "Halo"
            salam = "Halo {nama}"
            belum_tahu_tutup = "Nanti ya"
            bot = "Iya {"
            gangguan = ""
            privasi = 3
            admin_terkirim = "ke {nama!r}"
            admin_sudah_dijawab = "ke {nama:>9}"
            admin_faq_batal = "{}"
            admin_loop = "{nama.__class__} {nama} {nomor}"
            """,
        )
    path = tmp_path / "kalimat.toml"
    expected = {
        "salm": "Maksudnya salam?",
        "salam": "isian {nama} tidak dikenal",
        "belum_tahu_tutup": "isian {buka} harus tetap ada",
        "bot": "tidak berpasangan",
        "gangguan": "hapus barisnya",
        "privasi": "hapus barisnya",
        "admin_terkirim": "cukup nama isiannya",
        "admin_sudah_dijawab": "cukup nama isiannya",
        "admin_faq_batal": "isian {} tidak dikenal",
        "admin_loop": "isian {nama.__class__} tidak dikenal",
    }
    assert len(caught.value.problems) == len(expected)
    for problem, (name, said) in zip(caught.value.problems, expected.items(), strict=True):
        assert problem.startswith(f"{path}: {name}: ")
        assert said in problem


def test_a_file_that_is_no_toml_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="salah tulis"):
        wording(tmp_path, "salam = Halo\n")


def test_the_placeholders_of_the_default_must_stay_in_the_owners_sentence() -> None:
    defaults = {"salam": "Halo {sapaan}", "admin_loop": "{nama} ({nomor}), {nama} lagi, {{begini}}"}
    assert needs(defaults) == {"salam": frozenset(), "admin_loop": frozenset({"nama", "nomor"})}
