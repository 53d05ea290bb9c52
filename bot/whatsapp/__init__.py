"""The WhatsApp channel: the shop's session through neonize, which runs whatsmeow (Go) inside this process.

Read ``channel.py`` first. ``bridge.py`` is the only module that touches neonize's client, ``library.py`` the
only one that imports it; ``machine.py``, ``events.py``, ``codec.py`` and ``outcomes.py`` are pure.
"""
