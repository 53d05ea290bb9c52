"""Memories: rebuildable search indexes over the SQL truth (embedded here; Weaviate behind the same contract)."""
