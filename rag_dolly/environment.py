"""What is set in the environment before any library looks at it."""

import os


def settle() -> None:
    """Switch off what libraries would send (traces to LangSmith, usage to the model hub), and busy waiting.

    OpenMP threads that spin while they wait make a model several times slower once another program wants a core;
    spinning briefly costs little where none does.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    os.environ.update(
        LANGSMITH_TRACING="false", LANGCHAIN_TRACING_V2="false", HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1"
    )
