import copy
import dataclasses
import json
import pickle

import pytest

from config.secret import Secret


@dataclasses.dataclass(frozen=True)
class Holder:
    key: Secret


@pytest.mark.parametrize(
    "shown",
    [
        str(Secret("sk-rahasia")),
        repr(Secret("sk-rahasia")),
        f"{Secret('sk-rahasia')}",
        f"{Secret('sk-rahasia')!r}",
        "{:>12}".format(Secret("sk-rahasia")),
        "%s" % Secret("sk-rahasia"),  # noqa: UP031 - the old way of formatting is what is tested.
        repr(Holder(Secret("sk-rahasia"))),
        json.dumps({"key": Secret("sk-rahasia")}, default=str),
    ],
)
def test_a_secret_is_never_shown(shown: str) -> None:
    assert "rahasia" not in shown
    assert "***" in shown


def test_only_reveal_gives_the_text() -> None:
    assert Secret("sk-rahasia").reveal() == "sk-rahasia"


def test_equality_and_hash_go_by_the_text_and_never_by_a_plain_string() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("é") == Secret("é")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert not Secret("")


def test_a_secret_can_be_copied_with_its_settings_but_not_pickled() -> None:
    secret = Secret("sk-rahasia")
    assert copy.copy(secret) is secret
    assert copy.deepcopy(secret) is secret
    assert dataclasses.asdict(Holder(secret)) == {"key": secret}
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)


def test_a_secret_does_not_change() -> None:
    with pytest.raises(AttributeError, match="does not change"):
        Secret("a")._text = "b"
