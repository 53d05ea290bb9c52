"""Removes: a call to the model is tried a few times only (``ModelClient._bounded``)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import openai

from rag.model import ModelClient
from store.breaker import Breaker
from tests.mutants import Replace


def mutate(replace: Replace) -> None:
    def make(_original: Any) -> Any:
        async def _bounded(self: ModelClient, call: Callable[[], Awaitable[Any]], breaker: Breaker) -> Any:
            while True:
                try:
                    return await call()
                except openai.OpenAIError:
                    await asyncio.sleep(0.05)

        return _bounded

    replace("rag.model.ModelClient._bounded", make)
