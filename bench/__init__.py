"""Benchmarks: commands that print figures and compare them with goals. They never gate a test.

``python -m bench`` runs all of them. Times are medians of interleaved rounds, and speed is told as a ratio
to a bare program that makes the same calls of the model in the same minute: such a ratio survives a slow
or busy machine, milliseconds do not.
"""
