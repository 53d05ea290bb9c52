"""All sessions of a device of ours with one of theirs: the one in use, and older ones that may be needed yet.

Either side may begin anew at any time (it lost its state, or a retry receipt said that a message could not
be read), while messages of the session before are on their way. Both keep the older ones and go back to
whichever the other writes in; so two that began at the same moment agree in the end, too.
"""

from __future__ import annotations

from sandbox.whatsapp.signal import wire
from sandbox.whatsapp.signal.errors import BadMessage, NoSession
from sandbox.whatsapp.signal.identity import Identity, PreKeyBundle
from sandbox.whatsapp.signal.session import Kind, Session

# As many as libsignal keeps.
MOST_ARCHIVED = 40


class Sessions:
    """What one of our devices remembers of one device of theirs."""

    __slots__ = ("_own", "_states")

    def __init__(self, own: Identity) -> None:
        self._own = own
        # The one in use first, then by when they were in use last.
        self._states: list[Session] = []

    def __bool__(self) -> bool:
        """Whether there is a session to write in."""
        return bool(self._states)

    @property
    def their_identity(self) -> bytes | None:
        """The public identity key of the device that the session in use is with."""
        return self._states[0].their_identity if self._states else None

    def begin(self, theirs: PreKeyBundle) -> None:
        """Write in a new session from now on. Raises UntrustedBundle."""
        self._use(Session.begin(self._own, theirs))

    def forget(self) -> None:
        """Lose everything, as a device does that was set up anew."""
        self._states.clear()

    def encrypt(self, plaintext: bytes) -> tuple[Kind, bytes]:
        """Raises NoSession if none was begun or accepted."""
        if not self._states:
            raise NoSession("there is no session to write in")
        return self._states[0].encrypt(plaintext)

    def decrypt(self, kind: str, data: bytes) -> bytes:
        """The plaintext; a `pkmsg` may begin a session. Raises Duplicate, BadMessage, NoSession."""
        if kind == "pkmsg":
            first = wire.parse_prekey_message(data)
            session = next((state for state in self._states if state.base == first.base), None)
            if session is None:
                session, plaintext = Session.answer(self._own, first)
            else:
                plaintext = session.read(wire.parse_signal_message(first.message))
        else:
            session, plaintext = self._read(wire.parse_signal_message(data))
        self._use(session)
        return plaintext

    def _read(self, message: wire.SignalMessage) -> tuple[Session, bytes]:
        """The session that a message without keys belongs to, and its plaintext."""
        for session in self._states:
            if session.knows(message.ratchet):
                return session, session.read(message)
        if not self._states:
            raise NoSession("there is no session to read in")
        for session in self._states:
            try:
                return session, session.read(message)
            except BadMessage:
                continue  # The MAC says that it is not of this session.
        raise BadMessage("no session has the keys of this message")

    def _use(self, session: Session) -> None:
        if self._states and self._states[0] is session:
            return
        others = [state for state in self._states if state is not session]
        self._states = [session, *others[:MOST_ARCHIVED]]
