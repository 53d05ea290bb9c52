"""The sentences that the bot says by itself: the packaged defaults and what the owner put in their place.

The packaged file also says what is to be filled in: a sentence without one of its default's placeholders
would leave out what it is there for.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from config.errors import ConfigError
from config.shop import Shop
from config.tomlfile import did_you_mean, read_toml

DEFAULTS = Path(__file__).with_name("kalimat.toml")
ALWAYS = frozenset({"toko", "sapaan", "panggilan"})


@dataclass(frozen=True, kw_only=True)
class Wording:
    """All sentences, checked: `say` can't fail for a sentence and the values it needs."""

    sentences: Mapping[str, str]
    shop: Mapping[str, str]

    @classmethod
    def load(cls, data_dir: Path, shop: Shop) -> Wording:
        """The packaged sentences with those of `data_dir/kalimat.toml` in their place.

        Raises ConfigError with every unknown sentence and every wrong placeholder at once.
        """
        defaults, problems = _checked(DEFAULTS, _own_problem)
        needed = needs(defaults)
        own, own_problems = _checked(
            data_dir / "kalimat.toml", lambda name, text: _problem(name, text, needed)
        )
        problems += own_problems
        if problems:
            raise ConfigError(problems)
        return cls(
            sentences={**defaults, **own},
            shop={"toko": shop.nama, "sapaan": shop.sapaan, "panggilan": shop.panggilan},
        )

    def say(self, sentence: str, **values: object) -> str:
        """The sentence, its placeholders filled in. Raises KeyError for a missing sentence or value.

        An empty value takes its brackets and the space before it along: "Budi ({nomor})" without a number is
        "Budi".
        """
        template = self.sentences[sentence]
        for name, value in values.items():
            if value == "":
                for around in (f" ({{{name}}})", f" {{{name}}}"):
                    template = template.replace(around, f"{{{name}}}")
        # What is filled in is not searched for placeholders again: a customer may well write "{toko}".
        return template.format_map({**values, **self.shop}).strip()


def needs(defaults: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Each sentence with the placeholders that it must have, beside those that every sentence may have."""
    return {name: _placeholders(text) - ALWAYS for name, text in defaults.items()}


def _placeholders(text: str) -> frozenset[str]:
    return frozenset(field for _, field, _, _ in string.Formatter().parse(text) if field is not None)


def _checked(path: Path, problem_of: Callable[[str, object], str | None]) -> tuple[dict[str, str], list[str]]:
    content, problems = read_toml(path)
    good: dict[str, str] = {}
    for name, text in content.items():
        problem = problem_of(name, text)
        if problem:
            problems.append(f"{path}: {name}: {problem}")
        else:
            good[name] = text.strip()
    return good, problems


def _own_problem(name: str, text: object) -> str | None:
    """What is wrong with the sentence by itself, whatever it is for."""
    if not isinstance(text, str) or not text.strip():
        return f'tulis {name} = "..." dengan teksnya di dalam kutip, atau hapus barisnya supaya pakai bawaan.'
    try:
        parts = list(string.Formatter().parse(text))
    except ValueError:
        return "kurung kurawalnya tidak berpasangan; tulis {{ dan }} untuk menampilkan kurung kurawal."
    # "{nama!r}" and "{nama:>9}" mean something to Python only.
    if any(spec or conversion for _, _, spec, conversion in parts):
        return "di dalam kurung kurawal cukup nama isiannya, misalnya {sapaan}."
    return None


def _problem(name: str, text: object, needed: Mapping[str, frozenset[str]]) -> str | None:
    """The same, and whether it is a sentence that there is, with its placeholders and no others."""
    if name not in needed:
        return f"tidak ada kalimat bernama ini.{did_you_mean(name, needed)}"
    problem = _own_problem(name, text)
    if problem is not None:
        return problem
    used = _placeholders(str(text))
    allowed = needed[name] | ALWAYS
    unknown = sorted(used - allowed)
    if unknown:
        known = ", ".join(f"{{{field}}}" for field in sorted(allowed))
        return f"isian {{{unknown[0]}}} tidak dikenal di kalimat ini; yang ada: {known}."
    missing = sorted(needed[name] - used)
    if missing:
        return f"isian {', '.join(f'{{{field}}}' for field in missing)} harus tetap ada di kalimat ini."
    return None
