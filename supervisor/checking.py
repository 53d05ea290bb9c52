"""``python -m supervisor check``: whether the settings would carry a start, asked before one is made."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp

from config.operation import AlertSettings
from config.settings import ModelSettings, Settings
from config.spans import span
from config.wording import Wording
from rag.errors import Cause, ModelMisconfigured, ModelUnavailable, Trouble
from rag.model import ModelClient
from supervisor.programs import answers_at, live_addresses

_TIMEOUT_S = 15.0
# A server's own words are a line for whoever looks after it, not a page.
_MOST_CHARS = 300


async def problems(settings: Settings, wording: Wording) -> AsyncIterator[tuple[bool, str]]:
    """(whether it must be mended first, what is wrong) for every key that another service can judge."""
    async with aiohttp.ClientSession() as session:
        try:
            async with ModelClient(settings.model) as model:
                await model.check()
        except ModelMisconfigured as exc:
            yield True, misconfigured(exc, settings.model, wording)
        except ModelUnavailable as exc:
            yield False, unavailable(exc, settings.model, wording)
        if (telegram := await _telegram(session, settings.alerts, wording)) is not None:
            yield telegram
        if (ping := settings.alerts.ping_url) is not None and not await answers_at(session, ping):
            yield False, wording.say("admin_cek_ping")


async def _telegram(
    session: aiohttp.ClientSession, settings: AlertSettings, wording: Wording
) -> tuple[bool, str] | None:
    """Whether an alert would arrive, without sending one. Source: core.telegram.org/bots/api."""
    if settings.telegram_token is None or settings.telegram_chat is None:
        return None
    bot = f"{settings.telegram_url}/bot{settings.telegram_token.reveal()}"
    try:
        async with asyncio.timeout(_TIMEOUT_S), session.get(f"{bot}/getMe") as answer:
            if answer.status in (401, 404):
                return True, wording.say("admin_cek_telegram_token")
        chat = {"chat_id": settings.telegram_chat}
        async with asyncio.timeout(_TIMEOUT_S), session.get(f"{bot}/getChat", params=chat) as answer:
            # 400: there is none, or its person never wrote to the bot; 403: the bot was thrown out of it.
            if answer.status in (400, 403):
                return True, wording.say("admin_cek_telegram_chat")
    except (aiohttp.ClientError, TimeoutError):
        return False, wording.say("admin_cek_telegram_jauh")
    return None


def misconfigured(error: ModelMisconfigured, settings: ModelSettings, wording: Wording) -> str:
    """What the owner must change before the model can work. Pure."""
    values: dict[str, object] = {"alamat": settings.base_url}
    if error.cause is Cause.MODEL:
        values["model"] = error.model or settings.chat_model
    if error.cause is not Cause.REQUEST:
        return wording.say(f"admin_cek_model_{error.cause.value}", **values)
    said = " ".join(str(error).replace(settings.api_key.reveal(), "…").split())[:_MOST_CHARS]
    text = wording.say("admin_cek_model_permintaan", kode=error.status or "-", **values)
    return f"{text}\n{wording.say('admin_cek_teknisi', kata=said)}"


def unavailable(error: ModelUnavailable, settings: ModelSettings, wording: Wording) -> str:
    """Why nobody can say now whether the model would work. Pure."""
    values: dict[str, object] = {"alamat": settings.base_url}
    if error.trouble is Trouble.SILENT:
        values["lama"] = span(settings.call_timeout_s)
    if error.trouble is Trouble.BROKEN:
        values["kode"] = error.status
    return wording.say(f"admin_cek_model_{error.trouble.value}", **values)


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
