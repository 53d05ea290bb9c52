"""Fault tests: what must hold whatever breaks. Every test has a mutant that makes it fail."""
