"""``python -m supervisor check``: whether the settings would carry a start, asked before one is made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp

from config.settings import Settings
from rag.errors import ModelMisconfigured, ModelUnavailable
from rag.model import ModelClient
from supervisor.programs import answers_at, live_addresses

_TIMEOUT_S = 15.0


async def problems(settings: Settings) -> AsyncIterator[tuple[bool, str]]:
    """(whether it must be mended first, what is wrong) for every key that another service can judge."""
    async with aiohttp.ClientSession() as session:
        try:
            async with ModelClient(settings.model) as model:
                await model.check()
        except ModelMisconfigured as exc:
            yield True, f"OPENAI_API_KEY: {exc}"
        except ModelUnavailable as exc:
            yield False, f"OPENAI_BASE_URL: belum bisa dihubungi ({exc})"
        if (token := settings.alerts.telegram_token) is not None:
            address = f"{settings.alerts.telegram_url}/bot{token.reveal()}/getMe"
            try:
                async with asyncio.timeout(_TIMEOUT_S), session.get(address) as answer:
                    if answer.status in (401, 404):
                        yield True, "TELEGRAM_TOKEN: Telegram tidak mengenalnya; salin lagi dari @BotFather"
            except (aiohttp.ClientError, TimeoutError):
                yield False, "TELEGRAM_URL: belum bisa dihubungi"
        if (ping := settings.alerts.ping_url) is not None and not await answers_at(session, ping):
            yield False, "PING_URL: tidak menjawab 200"


async def programs_answer(settings: Settings, *, wait_s: float) -> list[str]:
    """The programs that did not answer within ``wait_s``; none when all do."""
    deadline = time.monotonic() + wait_s
    waiting = live_addresses(settings)
    async with aiohttp.ClientSession() as session:
        while True:
            answers = await asyncio.gather(*(answers_at(session, url) for url in waiting.values()))
            waiting = {
                name: url
                for (name, url), answered in zip(waiting.items(), answers, strict=True)
                if not answered
            }
            if not waiting or time.monotonic() >= deadline:
                return list(waiting)
            await asyncio.sleep(0.5)
