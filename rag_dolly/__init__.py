"""Question to answer, over an index made by `ingest`.

from rag_dolly import RagChain
chain = RagChain.open(".rag-dolly")
chain.invoke("How do I re-index?")["answer"]
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rag_dolly.chain import RagChain as RagChain

__all__ = ["RagChain", "__version__"]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    """Import `RagChain` on first use: it needs LangChain, which `import rag_dolly` alone does not."""
    if name == "RagChain":
        from rag_dolly.chain import RagChain

        return RagChain
    raise AttributeError(f"module 'rag_dolly' has no attribute '{name}'")
