"""The sample proxies let through what the world needs of the payment process, and nothing else of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
PUBLIC = {"/midtrans/notification", "/invoice/", "/masuk/"}


def _served() -> set[str]:
    """The path of every route that the payment process has, as its source declares it."""
    found: set[str] = set()
    for path in (PROJECT / "webhooks").glob("*.py"):
        found |= set(
            re.findall(r'(?:web\.(?:get|post)\(|PATH = )"([^"]+)"', path.read_text(encoding="utf-8"))
        )
    return found


def _let_through(name: str) -> set[str]:
    text = re.sub(r"#.*", "", (PROJECT / "supervisor" / name).read_text(encoding="utf-8"))
    if name == "Caddyfile":
        return {path.rstrip("*") for path in re.findall(r"^\s*path (\S+)$", text, re.MULTILINE)}
    return {path for path in re.findall(r"location (?:= )?(\S+) \{", text) if path != "/"}


@pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf"])
def test_only_the_public_routes_are_let_through(name: str) -> None:
    assert _let_through(name) == PUBLIC


def test_the_public_routes_are_served_and_there_are_private_ones() -> None:
    served = {re.sub(r"\{.*", "", path) for path in _served()}
    assert served >= PUBLIC
    assert {"/live", "/ready", "/metrics"} <= served - PUBLIC


@pytest.mark.parametrize("name", ["Caddyfile", "nginx.conf"])
def test_the_rest_is_not_found_and_addresses_of_invoices_are_not_logged(name: str) -> None:
    text = (PROJECT / "supervisor" / name).read_text(encoding="utf-8")
    assert re.search(r"respond 404|return 404;", text)
    assert ("access_log off;" in text) if name == "nginx.conf" else not re.search(r"^\s*log\b", text, re.M)
