"""One chain of message keys, as its receiver walks it: in order, with gaps, and back to what it skipped."""

from __future__ import annotations

from sandbox.whatsapp.signal import kdf
from sandbox.whatsapp.signal.errors import BadMessage, Duplicate

# libsignal's bounds: how far a message may be ahead, and how many skipped keys a chain keeps.
MOST_AHEAD = 2000
MOST_SKIPPED = 2000


class Step:
    """What reading one message takes from a chain; the chain changes only by `ReceivingChain.take`."""

    __slots__ = ("chain", "counter", "seed", "skipped")

    def __init__(self, counter: int, seed: bytes, chain: bytes | None, skipped: dict[int, bytes]) -> None:
        self.counter = counter
        self.seed = seed
        # The chain key after the message; None if the message was one of those skipped before.
        self.chain = chain
        self.skipped = skipped


class ReceivingChain:
    """`key` is the chain key at place `next`; `skipped` holds the seeds of earlier places not seen yet."""

    __slots__ = ("key", "next", "skipped")

    def __init__(self, key: bytes, start: int = 0) -> None:
        self.key = key
        self.next = start
        self.skipped: dict[int, bytes] = {}

    def look(self, counter: int) -> Step:
        """The way to the message of this place.

        Raises Duplicate if its key is gone, BadMessage if it is further ahead than we are willing to compute.
        """
        if counter < self.next:
            if counter not in self.skipped:
                raise Duplicate(f"message {counter} of this chain was read before")
            return Step(counter, self.skipped[counter], None, {})
        if counter - self.next > MOST_AHEAD:
            raise BadMessage(f"message {counter} is too far ahead of {self.next}")
        key, skipped = self.key, {}
        for place in range(self.next, counter):
            skipped[place] = kdf.seed_of(key)
            key = kdf.after(key)
        return Step(counter, kdf.seed_of(key), kdf.after(key), skipped)

    def take(self, step: Step) -> None:
        """The message was genuine: its key is used up, and the chain stands behind it."""
        if step.chain is None:
            del self.skipped[step.counter]
            return
        self.key = step.chain
        self.next = step.counter + 1
        if step.skipped:
            self.skipped.update(step.skipped)
            while len(self.skipped) > MOST_SKIPPED:
                del self.skipped[next(iter(self.skipped))]
