"""What goes wrong over HTTP, as a status and an error object in OpenAI's shape: one line, never a traceback."""

from collections.abc import Mapping
from typing import Any

from ingest.errors import BadFilter, IndexBusy, IndexMismatch, IndexMissing, RagDollyError
from rag_dolly.errors import EmptyQuestion, OutOfMemory, QuestionTooLong, ServerFailed
from rag_dolly.jobs import LineFull

_STATUS: tuple[tuple[type[RagDollyError], int, str], ...] = (
    (BadFilter, 400, "bad_filter"),
    (EmptyQuestion, 400, "empty_question"),
    (QuestionTooLong, 400, "question_too_long"),
    (LineFull, 503, "overloaded"),
    (IndexMissing, 503, "index_missing"),
    (IndexMismatch, 503, "index_mismatch"),
    (IndexBusy, 503, "index_busy"),
    (OutOfMemory, 503, "out_of_memory"),
    (ServerFailed, 502, "model_server_failed"),
)
_RETRY = {"overloaded": "5"}
"""Seconds after which it is worth asking again."""
UNEXPECTED = "The request could not be served. The server's terminal shows why."


class Refused(Exception):
    """A request that is not served: `status` is that of HTTP, `param` the field at fault, None where there is none."""

    def __init__(
        self, status: int, message: str, code: str, param: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """The error object."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": str(self), "type": kind, "param": self.param, "code": self.code}}


def refusal(error: RagDollyError) -> Refused:
    """Return how a failure that the user can act on is told over HTTP."""
    found = ((status, code) for kind, status, code in _STATUS if isinstance(error, kind))
    status, code = next(found, (500, "failed"))
    headers = {"retry-after": _RETRY[code]} if code in _RETRY else {}
    return Refused(status, " ".join(str(error).split()), code, headers=headers)


def stopping() -> Refused:
    """Return what a client is told while the server stops."""
    return Refused(503, "The server is stopping; the answer is not complete.", "stopping")
