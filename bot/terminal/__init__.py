"""The terminal as a channel: the whole bot in a chat on the command line, for newcomers, demos and tests."""
