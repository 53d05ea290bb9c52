"""Every alert that Balas raises: the first part of its fingerprint, and how it is told.

What each means and what to do about it are the owner's sentences ``admin_alarm_…`` in
``config/kalimat.toml``; ``docs/alerts.md`` is the table of them all. A fingerprint is ``kind:account`` or
``kind:account:subject``: two shops may share a database, and each owner hears of his own.
"""

from __future__ import annotations

from dataclasses import dataclass

WHATSAPP = "whatsapp"
# The states of the channel that raise ``WHATSAPP``, each with a sentence of its own.
WHATSAPP_STATES = ("logged_out", "replaced", "banned", "outdated", "unusable")


@dataclass(frozen=True, kw_only=True, slots=True)
class Kind:
    """One kind of alert."""

    name: str
    told_in_room: bool = False  # the bot itself writes it into the owner's room when it happens


_ALL = (
    Kind(name=WHATSAPP),  # nobody is answered until a person acts (or a ban ends)
    Kind(name="offline"),  # the bot runs, and WhatsApp has been away for too long
    Kind(name="process_down"),  # Supervisor gave a program up
    Kind(name="process_crashed"),  # a program ended by itself and was started again
    Kind(name="process_stuck"),  # a program runs, and does not answer
    Kind(name="unanswered"),  # a message has waited for too long
    Kind(name="dead_letters"),  # messages were given up after their last attempt
    Kind(name="database"),  # the database takes nothing
    Kind(name="messages_waited"),  # the database was away for a while; nothing was lost
    Kind(name="disk"),  # little room is left
    Kind(name="budget"),  # the model's money for today is nearly used up
    Kind(name="paid_without_invoice"),  # must never be
    Kind(name="whatsapp_restricted", told_in_room=True),  # the number may write to known chats only
    Kind(name="midtrans", told_in_room=True),  # Midtrans cannot be asked
    Kind(name="payment", told_in_room=True),  # money came, or went, in a way that a person must look at
    Kind(name="starsender", told_in_room=True),  # Starsender refuses; invoices go by the bot
    Kind(name="backup"),  # the last back-up is too old, or the last try failed
    Kind(name="memory", told_in_room=True),  # the memory's server cannot be used; the bot searches by itself
    Kind(name="model_misconfigured", told_in_room=True),  # the model refuses our key, model or address
    Kind(name="whatsapp_business_answers", told_in_room=True),  # the shop's app greets customers as well
)
KINDS = {kind.name: kind for kind in _ALL}
# What a later part of the product raises before it has sentences of its own is told all the same.
OTHER = Kind(name="other")


def kind_of(fingerprint: str) -> Kind:
    """The kind that a fingerprint belongs to."""
    return KINDS.get(fingerprint.partition(":")[0], OTHER)


def is_of(fingerprint: str, account: str) -> bool:
    """Whether the alert is the account's; one that names none is everybody's, told by whoever is first."""
    kind, *subject = fingerprint.split(":")
    # Before accounts stood in all of them a payment's had its attempt there.
    names_one = kind in KINDS and len(subject) > (kind == "payment")
    return not names_one or subject[0] == account


def without_account(fingerprint: str) -> str:
    """The alert's fingerprint as earlier versions wrote it."""
    kind, _, rest = fingerprint.partition(":")
    subject = rest.partition(":")[2]
    return f"{kind}:{subject}" if subject else kind


def told_as(kind: str, *, state: str | None) -> str:
    """The kind as sentences know it: the channel's troubles are told apart by its ``state``."""
    if kind != WHATSAPP:
        return kind
    # After a log-out the next process waits with a code: that is the same trouble still.
    return f"{kind}_{state if state in WHATSAPP_STATES else 'logged_out'}"
