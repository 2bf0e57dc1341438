"""Models under test: named configurations with versions, asked through the `openai` client, or plain functions."""

from evalkit.calling import Limits, Rates
from evalkit.models.async_model import AsyncModel, AsyncStream
from evalkit.models.base import Configured
from evalkit.models.callable_model import AsyncCallableModel, CallableModel, callable_model
from evalkit.models.files import find, model_files, read_model_file
from evalkit.models.keys import KeyReference
from evalkit.models.reply import Reply, ToolCall
from evalkit.models.request import Messages, Rendered
from evalkit.models.spec import Spec
from evalkit.models.sync_model import Model, Stream

__all__ = [
    "AsyncCallableModel",
    "AsyncModel",
    "AsyncStream",
    "CallableModel",
    "Configured",
    "KeyReference",
    "Limits",
    "Messages",
    "Model",
    "Rates",
    "Rendered",
    "Reply",
    "Spec",
    "Stream",
    "ToolCall",
    "callable_model",
    "find",
    "model_files",
    "read_model_file",
]
