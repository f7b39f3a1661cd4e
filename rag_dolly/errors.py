"""What can go wrong between question and answer. See `ingest.errors` for the base class and the rest.

RagDollyError
├── EmptyQuestion        nothing was asked
├── QuestionTooLong      the question alone does not fit the model's context window
├── BadSetting           a setting has a value, or a name, that is not understood
├── OutOfMemory          the model does not fit the device
└── ServerFailed         a model server cannot be reached, refuses a request, or breaks off
"""

from ingest.errors import ModelNotFound, RagDollyError

__all__ = [
    "BadSetting",
    "EmptyQuestion",
    "ModelNotFound",
    "OutOfMemory",
    "QuestionTooLong",
    "RagDollyError",
    "ServerFailed",
]


class EmptyQuestion(RagDollyError):
    """Nothing was asked."""


class QuestionTooLong(RagDollyError):
    """The question alone does not fit the model's context window; it is refused, never cut."""


class BadSetting(RagDollyError):
    """A setting's name or value is not understood."""


class OutOfMemory(RagDollyError):
    """The model does not fit into the memory of the device."""


class ServerFailed(RagDollyError):
    """A model server cannot be reached, refuses a request, or breaks off."""
