"""Memories: rebuildable search indexes over the SQL truth (embedded here; others behind the same contract)."""
