"""The shop's bot on WhatsApp: the real process and the real library against the server on loopback."""
