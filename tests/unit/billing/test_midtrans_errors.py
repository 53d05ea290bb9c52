"""Whatever the client library raises becomes one of ours, which says what to do and repeats no secret."""

from __future__ import annotations

import json

import pytest
import requests
from midtransclient import JSONDecodeError, MidtransAPIError

from billing.errors import (
    BillingError,
    MidtransMisconfigured,
    MidtransRefused,
    MidtransUnavailable,
    MidtransUncertain,
)
from billing.midtrans import Midtrans, translate
from config.billing import BillingSettings
from config.secret import Secret


def answered(code: int, body: object, *, http: int | None = None) -> MidtransAPIError:
    return MidtransAPIError("pesan", api_response_dict=body, http_status_code=http or code)


UNSENT = requests.ConnectionError("HTTPConnectionPool: NewConnectionError('refused')")

# What it is called when a repetition does no harm, and when it does.
CASES = [
    (UNSENT, MidtransUnavailable, MidtransUnavailable),
    (requests.ConnectTimeout("zu langsam"), MidtransUnavailable, MidtransUnavailable),
    (requests.exceptions.SSLError("bad"), MidtransUnavailable, MidtransUnavailable),
    (requests.ReadTimeout("slow"), MidtransUnavailable, MidtransUncertain),
    (requests.ConnectionError("('Connection aborted.',)"), MidtransUnavailable, MidtransUncertain),
    (requests.exceptions.ChunkedEncodingError("cut"), MidtransUnavailable, MidtransUncertain),
    (JSONDecodeError("<html>rahasia</html>"), MidtransUnavailable, MidtransUncertain),
    (json.JSONDecodeError("x", "y", 0), MidtransUnavailable, MidtransUncertain),
    (AttributeError("'list' object has no attribute 'keys'"), MidtransUnavailable, MidtransUncertain),
    (ValueError("invalid literal for int()"), MidtransUnavailable, MidtransUncertain),
    (answered(500, {"error_messages": ["oops"]}), MidtransUnavailable, MidtransUncertain),
    (answered(503, {}), MidtransUnavailable, MidtransUncertain),
    (answered(429, {"error_messages": ["slow"]}), MidtransUnavailable, MidtransUnavailable),
    (answered(401, {"error_messages": ["denied"]}), MidtransMisconfigured, MidtransMisconfigured),
    (answered(400, {"error_messages": ["order_id taken"]}), MidtransRefused, MidtransRefused),
    (
        answered(406, {"status_code": "406", "status_message": "x"}, http=200),
        MidtransRefused,
        MidtransRefused,
    ),
    (answered(404, {"status_code": "404"}, http=200), MidtransRefused, MidtransRefused),
    (answered(400, ["a", "list"]), MidtransRefused, MidtransRefused),
]


@pytest.mark.parametrize(("raised", "harmless", "harmful"), CASES, ids=lambda case: repr(case)[:40])
def test_each_error_is_mapped(
    raised: Exception, harmless: type[BillingError], harmful: type[BillingError]
) -> None:
    for repeatable, kind in ((True, harmless), (False, harmful)):
        error = translate(raised, repeatable=repeatable)
        assert isinstance(error, kind)
        assert isinstance(error, MidtransUncertain) == issubclass(kind, MidtransUncertain)
        assert "rahasia" not in str(error)


def test_the_reason_of_a_refusal_is_told_and_bounded() -> None:
    error = translate(answered(400, {"error_messages": ["a" * 1000, "b"]}), repeatable=False)
    assert "a" * 100 in str(error)
    assert len(str(error)) < 400


async def test_without_a_key_the_first_question_says_so() -> None:
    async with Midtrans(BillingSettings()) as midtrans:
        with pytest.raises(MidtransMisconfigured, match="MIDTRANS_SERVER_KEY"):
            await midtrans.status("B1-1")


def test_two_adapters_share_no_headers_and_no_addresses() -> None:
    from midtransclient import CoreApi

    first = Midtrans(BillingSettings(server_key=Secret("SB-a"), api_url="http://127.0.0.1:1"))
    second = Midtrans(BillingSettings(server_key=Secret("SB-b"), api_url="http://127.0.0.1:2"))
    _, one = first._open()
    _, two = second._open()
    assert one.api_config.custom_headers is not two.api_config.custom_headers
    assert one.api_config.get_core_api_base_url() == "http://127.0.0.1:1"
    assert two.api_config.get_core_api_base_url() == "http://127.0.0.1:2"
    assert CoreApi().api_config.get_core_api_base_url() == "https://api.sandbox.midtrans.com"
