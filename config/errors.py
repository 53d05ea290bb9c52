"""Errors of this package.

ConfigError   misconfigured: nothing was started; show the text and stop, a retry can't help
"""

from __future__ import annotations

from collections.abc import Sequence


class ConfigError(Exception):
    """Everything that is wrong with the settings, the profile or the sentences, found in one go.

    `problems` holds one plain sentence per mistake, each saying what to do; `str()` is one a line.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        if not problems:
            raise ValueError("a ConfigError names at least one problem")
        self.problems = tuple(problems)
        super().__init__("\n".join(f"- {problem}" for problem in self.problems))

    def __reduce__(self) -> tuple[type[ConfigError], tuple[tuple[str, ...]]]:
        # Exception would pickle the joined text as the argument and split it into letters on the way back.
        return type(self), (self.problems,)
