"""Question to answer, over an index made by `ingest`."""

__version__ = "0.1.0"
