"""Settings, the shop's profile, the sentences it speaks, logging and redaction.

It imports no other part of Balas; every other part may import it.
"""
