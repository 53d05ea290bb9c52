"""Starsender on loopback: takes messages for WhatsApp numbers, and says afterwards what it was given.

`server` holds ``StarsenderServer``; with ``deliver`` it puts what it takes onto simulated phones (`phones`).
"""

from sandbox.faults import Mode
from sandbox.starsender.server import Sent, StarsenderServer

__all__ = ["Mode", "Sent", "StarsenderServer"]
