"""One-time addresses of the page that shows the pairing code: who sees it can become a device of the shop.

A link is good for ten minutes and for the one browser that opened it; the database holds digests only.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from sqlalchemy import Connection, delete, insert, select, update

from store.schema import login_links, now_ms

VALID_MS = 10 * 60 * 1000
_TOKEN_BYTES = 16  # 128 bits: nobody guesses it in ten minutes


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """A link that is still good."""

    account: str
    left_ms: int
    session: str | None  # digest of the browser's cookie; None while nobody has opened it


def create(connection: Connection, account: str) -> str:
    """A new link's token; older links of the account end with it."""
    connection.execute(delete(login_links).where(login_links.c.account == account))
    connection.execute(delete(login_links).where(login_links.c.expires_ms < now_ms()))
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    connection.execute(
        insert(login_links).values(digest=_digest(token), account=account, expires_ms=now_ms() + VALID_MS)
    )
    return token


def find(connection: Connection, token: str) -> Link | None:
    """The link of the token; None when it never was, is over, or made way for a newer one."""
    row = connection.execute(
        select(login_links.c.account, login_links.c.expires_ms - now_ms(), login_links.c.session).where(
            login_links.c.digest == _digest(token), login_links.c.expires_ms > now_ms()
        )
    ).first()
    return None if row is None else Link(account=row[0], left_ms=int(row[1]), session=row[2])


def open_once(connection: Connection, token: str) -> str | None:
    """Bind the link to one browser: its cookie, or None when another has it or the link is over."""
    cookie = secrets.token_urlsafe(_TOKEN_BYTES)
    taken = connection.execute(
        update(login_links)
        .where(
            login_links.c.digest == _digest(token),
            login_links.c.session.is_(None),
            login_links.c.expires_ms > now_ms(),
        )
        .values(session=_digest(cookie))
    )
    return cookie if taken.rowcount == 1 else None


def is_opened_by(link: Link, cookie: str) -> bool:
    """Whether this browser is the one that opened the link."""
    return link.session is not None and secrets.compare_digest(link.session, _digest(cookie))


def close(connection: Connection, account: str) -> None:
    """The shop is logged in again: nobody needs the account's links any more."""
    connection.execute(delete(login_links).where(login_links.c.account == account))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
