"""Removes: a notification must be signed with our key (``billing.signature.is_signed``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        def is_signed(fields: Mapping[str, Any], server_key: str) -> bool:
            return True

        return is_signed

    replace("webhooks.notifications.is_signed", make)
