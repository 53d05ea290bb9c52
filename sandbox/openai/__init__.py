"""An OpenAI-compatible stand-in on loopback that answers from the context it is given.

`python -m sandbox.openai` runs it by itself; `OpenAIStandIn` runs it inside a test's event loop and
`OpenAIStandInProcess` in a child process of its own, where it takes no time from the event loop under test.
"""

from sandbox.openai.process import OpenAIStandInProcess
from sandbox.openai.server import DEFAULT_MODELS, OpenAIStandIn

__all__ = ["DEFAULT_MODELS", "OpenAIStandIn", "OpenAIStandInProcess"]
