"""Errors of the model's adapter, translated once from the ``openai`` library.

ModelError
├── ModelUnavailable     retry later: unreachable, too slow, 429, 5xx, or our own circuit is open
├── ModelMisconfigured   a person must act: wrong key, unknown model, refused parameter
└── ModelRubbish         give up on this answer: a refusal, nothing, or not what was asked for
"""

from __future__ import annotations

from enum import Enum


class ModelError(Exception):
    """The model gave no usable result; the subclass says what the caller should do.

    ``possibly_charged``: the provider may bill the call all the same, as it does what came back as rubbish.
    """

    possibly_charged = True


class Trouble(Enum):
    """Why the model cannot answer now; the value is part of a sentence's name."""

    AWAY = "jauh"  # nobody answers at its address
    SILENT = "diam"  # it took too long
    BUSY = "ramai"  # it asks for fewer requests
    BROKEN = "galat"  # its server failed
    STRANGE = "aneh"  # what answers there does not speak like the model's API


class ModelUnavailable(ModelError):
    """The model cannot answer now; the same call may work later. ``trouble`` is for sentences.

    ``possibly_charged``: only when the request was sent and cut short. ``status`` is the server's, if it
    said one.
    """

    def __init__(
        self,
        message: str,
        *,
        trouble: Trouble = Trouble.STRANGE,
        status: int | None = None,
        retry_after_s: float | None = None,
        possibly_charged: bool = False,
    ) -> None:
        super().__init__(message)
        self.trouble = trouble
        self.status = status
        self.retry_after_s = retry_after_s
        self.possibly_charged = possibly_charged


class Cause(Enum):
    """What a person must look at before the model can work again."""

    KEY = "kunci"  # it is refused
    ADDRESS = "alamat"  # nothing like the model's API is there, or another model's
    MODEL = "model"  # the account knows no such model
    CREDIT = "saldo"  # it is used up
    REQUEST = "permintaan"  # the server takes no request like ours


class ModelMisconfigured(ModelError):
    """No call can work until a person changes a setting; the text says which, ``cause`` is for sentences.

    ``status`` is the server's, ``model`` the name that it does not know; each only where it says more than
    the cause.
    """

    possibly_charged = False  # A refused call never is.

    def __init__(
        self,
        message: str,
        *,
        cause: Cause = Cause.REQUEST,
        status: int | None = None,
        model: str | None = None,
    ) -> None:
        super().__init__(message)
        self.cause = cause
        self.status = status
        self.model = model


class ModelRubbish(ModelError):
    """The model answered, but not with something that may be used."""
