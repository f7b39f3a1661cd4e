"""What can go wrong on the way from files to an index, and what we say about it.

    RagDollyError            everything a user can do something about: one clear line, never a traceback
    ├── UnreadableFile       this one file cannot be read; the run goes on without it
    ├── IndexMissing         there is no index where one was expected
    ├── IndexBusy            another process is writing to the index
    ├── IndexMismatch        the index was made by another embedder, or by another version of this program
    ├── NothingToIngest      the path does not exist, or holds nothing that can be indexed
    ├── BadFilter            a filter is not understood, or no document is what it asks for
    └── ModelNotFound        a model was named that is not on this machine and may not, or cannot, be fetched

Each message says what was expected, what was found, and what to do.
"""


class RagDollyError(Exception):
    """A failure that the user can act on; its text is the one line to show."""


class UnreadableFile(RagDollyError):
    """This file cannot be read: broken, encrypted, or of a kind that is not supported."""


class IndexMissing(RagDollyError):
    """No index was found at the given place."""


class IndexBusy(RagDollyError):
    """Another process holds the index for writing."""


class IndexMismatch(RagDollyError):
    """The index was made by another embedder or in another format than the one in use."""


class NothingToIngest(RagDollyError):
    """The path is missing or holds no document that can be indexed."""


class BadFilter(RagDollyError):
    """A filter is not understood, or leaves no document to search in."""


class ModelNotFound(RagDollyError):
    """A model (embedder or language model) cannot be found or may not be fetched."""
