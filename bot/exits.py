"""How the bot's process ends, in the exit codes that ``supervisor/balas.conf`` knows."""

from __future__ import annotations

EXIT_OK = 0  # stopped in good order
EXIT_LATER = 1  # something broke: Supervisor starts a new process
EXIT_AGAIN = 75  # the session needs a fresh process (a new pairing code, a ban that ended): as above, at once
EXIT_MISCONFIGURED = 78  # a person must act first: Supervisor leaves it
