"""Tests, and what they share: a PostgreSQL server, contracts that every implementation passes."""
