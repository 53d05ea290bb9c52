"""A WhatsApp multi-device server on loopback, with simulated phones, for the real client library."""
