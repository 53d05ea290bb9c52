"""Looks at a Weaviate server as a stranger would: over REST, without any of the product's code or filters."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

from sandbox.weaviate.shared import Server

_PAGE = 200
_NOWHERE = "00000000-0000-0000-0000-000000000000"


def rest(node: Server, path: str, *, method: str = "GET", body: object = None) -> Any:
    """One call of the server's REST interface; raises HTTPError."""
    request = urllib.request.Request(
        f"{node.url}/v1{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Bearer {node.key}", "Content-Type": "application/json"},
    )
    # Never through a proxy that is set for the outside world.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def objects(node: Server, collection: str) -> Iterator[dict[str, Any]]:
    """Every object of the collection, page by page."""
    after = _NOWHERE
    while True:
        found = rest(node, f"/objects?class={collection}&limit={_PAGE}&after={after}")["objects"]
        if not found:
            return
        yield from found
        after = found[-1]["id"]


def everything(node: Server, collection: str) -> list[dict[str, Any]]:
    """Every object of the collection, at once."""
    return list(objects(node, collection))


def drop(node: Server, prefix: str) -> None:
    """Delete the collections of one test."""
    for name in ("ChatTurn", "Knowledge"):
        rest(node, f"/schema/{prefix}{name}", method="DELETE")
