"""The page's server against the real bot's process: what a page is told, and what its orders do.

The tests share one demo; the first links the bot.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from aiohttp import WSServerHandshakeError

from sandbox.phone.show import showing
from store.ownership import AlreadyOwned
from tests.integration.phone.browser import ADMIN, BUDI, Browser

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def linked(browser: Browser) -> None:
    if browser.bot.get("linked"):
        return
    await browser.until(lambda: browser.bot.get("code"))
    await browser.done("scan")
    await browser.online()


async def test_one_order_scans_the_code_and_a_question_is_answered_with_all_ticks(browser: Browser) -> None:
    await browser.until(lambda: browser.bot.get("code") and browser.bot["state"] == "pairing")
    async with browser.session.get(f"{browser.shown.address}code.svg") as response:
        assert (response.status, response.content_type) == (200, "image/svg+xml")
    await browser.done("scan")
    await browser.online()
    await browser.done("send", chat=BUDI, text="halo kak")
    await browser.until(lambda: browser.bubbles(BUDI, "bot"))
    await browser.until(lambda: browser.bubbles(BUDI, "customer")[0]["tick"] == "read")
    await browser.until(lambda: browser.bubbles(BUDI, "bot")[0]["at_shop"])
    answer = browser.bubbles(BUDI, "bot")[0]
    assert "Toko Uji" in answer["text"]
    assert (answer["tick"], answer["at_customer"]) == ("delivered", True)
    await browser.done("read", chat=BUDI)
    await browser.until(lambda: browser.bubbles(BUDI, "bot")[0]["tick"] == "read")


async def test_a_page_that_is_opened_later_gets_everything(browser: Browser) -> None:
    await linked(browser)
    await browser.done("send", chat=BUDI, text="<b>tebal</b> & *bintang*")
    await browser.until(lambda: any("<b>" in one["text"] for one in browser.bubbles(BUDI, "customer")))
    address = browser.shown.address
    async with browser.session.ws_connect(f"{address}live") as socket:
        later = Browser(browser.shown, browser.session, socket)
        await later.listen()
        assert later.all["shop"]["name"] == "Toko Uji"
        assert [person["admin"] for person in later.all["people"]] == [False, False, True]
        # Text is told as it was written; making it safe is the page's affair, and tested in a browser.
        assert later.bubbles(BUDI, "customer")[-1]["text"] == "<b>tebal</b> & *bintang*"
        assert later.chats[BUDI].keys() >= browser.chats[BUDI].keys()


async def test_the_admins_reply_to_a_notice_reaches_the_customer_as_the_bots(browser: Browser) -> None:
    await linked(browser)
    before = len(browser.bubbles(ADMIN, "bot"))
    await browser.done("send", chat=BUDI, text="bisa kirim ke planet Mars tidak ya?")
    await browser.until(lambda: len(browser.bubbles(ADMIN, "bot")) > before)
    notice = browser.bubbles(ADMIN, "bot")[-1]
    assert "planet Mars" in notice["text"]
    await browser.done("send", chat=ADMIN, text="Belum bisa ya Kak", quoting=notice["id"])
    await browser.until(lambda: any("Belum bisa" in one["text"] for one in browser.bubbles(BUDI, "bot")))
    reply = browser.bubbles(ADMIN, "customer")[-1]
    assert reply["quoted"]["id"] == notice["id"]


async def test_a_reaction_an_edit_and_a_revocation_show_in_the_chat(browser: Browser) -> None:
    await linked(browser)
    await browser.done("send", chat=BUDI, text="makasih")
    await browser.until(
        lambda: any(one["reactions"] for one in browser.bubbles(BUDI, "customer") if one["text"] == "makasih")
    )
    own = browser.bubbles(BUDI, "customer")[-1]["id"]
    answer = browser.bubbles(BUDI, "bot")[-1]["id"]
    await browser.done("react", chat=BUDI, message=answer, emoji="👍")
    await browser.until(lambda: browser.chats[BUDI][answer]["reactions"] == {"customer": "👍"})
    await browser.done("edit", chat=BUDI, message=own, text="makasih banyak")
    await browser.until(lambda: browser.chats[BUDI][own]["text"] == "makasih banyak")
    await browser.done("revoke", chat=BUDI, message=own)
    await browser.until(lambda: browser.chats[BUDI][own]["deleted"])


async def test_a_picture_can_be_looked_at_and_html_only_downloaded(browser: Browser) -> None:
    await linked(browser)
    address = browser.shown.address
    for kind, mime, data in (("image", "image/png", b"\x89PNG"), ("document", "text/html", b"<script>")):
        async with browser.session.post(
            f"{address}upload/{BUDI}/{kind}?name=berkas.html", data=data, headers={"Content-Type": mime}
        ) as response:
            assert response.status == 200
        await browser.until(lambda kind=kind: browser.bubbles(BUDI, "customer")[-1]["kind"] == kind)  # type: ignore[misc]
        told = browser.bubbles(BUDI, "customer")[-1]["file"]
        async with browser.session.get(address + told["address"]) as response:
            assert await response.read() == data
            is_shown = kind == "image"
            assert response.content_type == (mime if is_shown else "application/octet-stream")
            assert ("attachment" in response.headers.get("Content-Disposition", "")) is not is_shown
            assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_a_voice_note_is_heard_on_the_admin_s_phone_as_well(browser: Browser) -> None:
    await linked(browser)
    address, sound = browser.shown.address, b"RIFF" + bytes(2_000)
    async with browser.session.post(
        f"{address}upload/{BUDI}/voice?name=suara.wav", data=sound, headers={"Content-Type": "audio/wav"}
    ) as response:
        assert response.status == 200
    await browser.until(lambda: any(one["kind"] == "audio" for one in browser.bubbles(ADMIN, "bot")))
    heard = [one for one in browser.bubbles(ADMIN, "bot") if one["kind"] == "audio"][-1]
    async with browser.session.get(address + heard["file"]["address"]) as response:
        assert (await response.read(), response.content_type) == (sound, "audio/wav")


async def test_a_dropped_connection_and_a_killed_process_come_back_and_lose_nothing(browser: Browser) -> None:
    await linked(browser)
    await browser.done("network", down=True)
    await browser.until(lambda: browser.bot["state"] == "connecting")
    await browser.done("send", chat=BUDI, text="halo lagi kak")
    assert (await browser.order("drop"))[0] == 409
    await browser.done("network", down=False)
    await browser.online()
    await browser.until(lambda: browser.bubbles(BUDI, "customer")[-1]["tick"] == "read")
    starts = browser.bot["starts"]
    await browser.done("kill")
    await browser.until(lambda: browser.bot["starts"] > starts and browser.bot["state"] == "online")


async def test_a_message_that_comes_twice_is_answered_once(browser: Browser) -> None:
    await linked(browser)
    siti = "6281234560002"
    await browser.done("double")
    await browser.done("send", chat=siti, text="halo kak")
    await browser.until(lambda: browser.bubbles(siti, "bot"))
    # What comes later would have come before the answer to this.
    await browser.done("send", chat=siti, text="makasih")
    await browser.until(lambda: any(one["reactions"] for one in browser.bubbles(siti, "customer")))
    assert len(browser.bubbles(siti, "bot")) == 1
    assert len(browser.bubbles(siti, "customer")) == 2


async def test_after_a_logout_a_new_process_shows_a_new_code(browser: Browser) -> None:
    await linked(browser)
    await browser.done("log-out")
    await browser.until(lambda: browser.bot["state"] == "pairing" and browser.bot["code"])
    assert not browser.bot["linked"]
    await browser.done("scan")
    await browser.online()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("send", {"chat": BUDI, "text": "  "}),
        ("send", {"chat": BUDI, "text": "x" * 4_001}),
        ("send", {"chat": BUDI, "text": 7}),
        ("send", {"chat": "62800", "text": "halo"}),
        ("send", {"text": "halo"}),
        ("send", {"chat": BUDI, "text": "halo", "quoting": "unknown"}),
        ("react", {"chat": BUDI, "message": "unknown", "emoji": "👍"}),
        ("edit", {"chat": BUDI, "message": "unknown", "text": "halo"}),
        ("scan", {}),
    ],
)
async def test_what_cannot_be_done_is_refused_in_words(
    browser: Browser, name: str, told: dict[str, object]
) -> None:
    await linked(browser)
    status, answer = await browser.order(name, **told)
    assert status == 409
    assert answer["error"].endswith(".")


async def test_no_other_site_can_look_or_press(browser: Browser) -> None:
    address, session = browser.shown.address, browser.session
    foreign = {"Origin": "https://jahat.example"}
    async with session.post(f"{address}do/drop", json={}, headers=foreign) as response:
        assert response.status == 403
    async with session.post(f"{address}do/drop", data="{}") as response:
        assert response.status == 415
    async with session.get(address, headers={"Host": "jahat.example"}) as response:
        assert response.status == 403
    with pytest.raises(WSServerHandshakeError, match="403"):
        await session.ws_connect(f"{address}live", headers=foreign)


async def test_the_page_loads_nothing_from_elsewhere(browser: Browser) -> None:
    async with browser.session.get(browser.shown.address) as response:
        assert response.status == 200
        policy = response.headers["Content-Security-Policy"]
        text = await response.text()
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in text
    static = Path(__file__).parents[3] / "sandbox" / "phone" / "static"
    for path in static.iterdir():
        found = path.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not any(
            f"{scheme}{place}" in found
            for scheme in ("http://", "https://", "//")
            for place in ("cdn", "fonts", "unpkg")
        ), path


async def test_a_new_customer_gets_a_phone(browser: Browser) -> None:
    people = len(browser.shown.page.stage.people)
    await browser.done("enter")
    assert len(browser.shown.page.stage.people) == people + 1
    assert json.dumps(browser.shown.page.shown)


async def test_a_second_demo_on_the_same_state_leaves_the_first_alone(browser: Browser) -> None:
    await linked(browser)
    state = browser.shown.state_dir
    session = next(state.glob("*-whatsapp.db"))
    environment = {"OPENAI_API_KEY": "sk-sandbox", "SHOP_NAME": "Toko Uji", "STATE_DIR": str(state)}
    with pytest.raises(AlreadyOwned):
        async with showing(environment):
            pass
    assert session.exists()
