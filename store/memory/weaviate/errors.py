"""Errors of the Weaviate server, translated once from its client, gRPC and httpx.

WeaviateError
├── WeaviateAway       retry later: unreachable, too slow, read-only, restarting
└── WeaviateRefuses    a person must act: wrong key, another schema, somebody else's collections
"""

from __future__ import annotations

# Words by which the server says that the key is the trouble, over REST and over gRPC alike.
_ABOUT_THE_KEY = ("unauthorized", "unauthenticated", "invalid api key", "anonymous access")
_FORBIDDEN = ("permission_denied", "forbidden")
_LONGEST = 300


class WeaviateError(Exception):
    """The Weaviate server cannot be used; the subclass says what the caller should do."""


class WeaviateAway(WeaviateError):
    """It does not answer, or cannot take this now; the same call may work later."""


class WeaviateRefuses(WeaviateError):
    """It answers, but will not serve until a person changes something; the text says what."""


def translate(exc: Exception, host: str) -> WeaviateError:
    """Our error for one of the client's; raise it ``from`` the original."""
    if isinstance(exc, WeaviateError):
        return exc
    if isinstance(exc, TimeoutError):
        return WeaviateAway(f"the Weaviate server at {host} did not answer in time")
    text = " ".join(str(exc).split())
    if any(words in text.lower() for words in _ABOUT_THE_KEY):
        return WeaviateRefuses(f"the Weaviate server at {host} does not accept WEAVIATE_API_KEY")
    if any(words in text.lower() for words in _FORBIDDEN):
        return WeaviateRefuses(
            f"the key in WEAVIATE_API_KEY may not read and write at {host}; give its user these rights"
        )
    return WeaviateAway(f"the Weaviate server at {host}: {text[:_LONGEST]}")
