"""SQL state (the truth) and the memories that index it. Callers come in by the doors of ``store.doors``."""
