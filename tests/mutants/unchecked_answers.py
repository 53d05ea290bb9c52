"""Removes: what the model says is checked before a customer reads it (``rag.answer.check``)."""

from __future__ import annotations

from typing import Any

from rag.answer import CheckedAnswer, Verdict
from rag.prompt import Prompt
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        def check(content: str, prompt: Prompt, *, canary: str) -> CheckedAnswer:
            return CheckedAnswer(verdict=Verdict.SEND, text=content)

        return check

    # The name under which the answerer knows it.
    replace("rag.answering.check", make)
