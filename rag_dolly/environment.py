"""What is set in the environment before any library looks at it."""

import logging
import os


def settle() -> None:
    """Switch off what libraries would send (traces to LangSmith, usage to the model hub), busy waiting, and chatter.

    OpenMP threads that spin while they wait make a model several times slower once another program wants a core;
    spinning briefly costs little where none does. torchao, which transformers imports where it is installed, warns of
    kernels for other GPUs that it could not load.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "2000")
    os.environ.update(
        LANGSMITH_TRACING="false", LANGCHAIN_TRACING_V2="false", HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1"
    )
    for library in ("torchao", "torch.utils._pytree"):
        logging.getLogger(library).setLevel(logging.ERROR)
