"""Memories: rebuildable search indexes over the SQL truth, all behind one contract."""
