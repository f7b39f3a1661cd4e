"""Text to embeddings: the `Embedder` seam, and the model directory behind it.

Everything that is known from a model's files (identity, limits, tokenizer) is read without loading it. A plain BERT
embeds passages with bert_openvino.py and queries with bert.py (from the eighth call on with OpenVINO too), so that
neither needs torch, and it alone has vectors of tokens; sentence-transformers embeds for every other model, and
passages on a GPU or without OpenVINO.
"""

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ingest.errors import ModelNotFound
from ingest.loaded_once import loaded_once
from ingest.vocabulary import known_scripts, share_known
from ingest.weights import find_embedder, verified_sha256

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

Vectors = NDArray[np.float32]
GROUP = 512
"""Passages to hand over at once: 2 % of padding, and on two cores results every 5 to 10 seconds."""
WARM_AFTER = 8
"""Calls for a few short texts from which on a process seems to stay: half a second to load OpenVINO then pays."""
BEGUN = 4
"""Questions that threads embed at a time, each beside its search by words."""
FEW = 8
"""Passages up to which numpy is done before torch is imported."""
GPU_TOKENS = 131_072
"""Tokens in one batch on a CUDA GPU, counted at the model's limit."""
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Identity:
    """What decides whether two embeddings can be compared. Stored in the index, checked when it is opened.

    `weights` is the sha256 of the weights file; vectors always have length 1, so that the inner product is
    the cosine; the prompts are put before queries and passages.
    """

    name: str
    weights: str
    dimension: int
    query_prompt: str = ""
    passage_prompt: str = ""

    def fingerprint(self) -> str:
        """Return a line that is the same for embedders whose vectors may be compared; names may differ."""
        parts = {key: value for key, value in asdict(self).items() if key != "name"}
        return json.dumps(parts, sort_keys=True, ensure_ascii=False)


class Embedder(Protocol):
    """Turns text into vectors of length 1, and counts text in its own tokens."""

    @property
    def identity(self) -> Identity:
        """Who made these vectors."""

    @property
    def max_tokens(self) -> int:
        """How many tokens of a text are read, special tokens not counted."""

    def token_spans(self, text: str) -> list[Span]:
        """Return the character span of each token of the text, without special tokens."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one row of float32, length 1, for each text."""

    def embed_query(self, text: str) -> Vectors:
        """Return one float32 vector of length 1."""

    def begin_query(self, text: str) -> Callable[[], Vectors]:
        """Begin `embed_query`, and return what waits for the vector: a caller has other things to do meanwhile."""

    def embed_sentences(self, texts: Sequence[str]) -> Vectors:
        """Return one row of float32, length 1, for each of a few short texts that are wanted at once."""

    def knows(self, text: str) -> float:
        """Return the share of the text, 0 to 1, that is in scripts which the model was made for."""


@runtime_checkable
class TokenEmbedder(Embedder, Protocol):
    """An `Embedder` that may have vectors of the tokens too."""

    def token_vectors(self, texts: Sequence[str]) -> list[Vectors] | None:
        """Return for each text the vectors of its tokens, shape (tokens, dimension), length 1; None if it has none.

        Special tokens are among them; tokens beyond the model's limit are not.
        """


class ModelEmbedder:
    """A `TokenEmbedder` over a sentence-transformers model directory; models load on first use.

    Raises `ModelNotFound` when the directory lacks what is needed.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.name = name
        self._counting = Lock()
        self._calls = 0
        self._quick: Any = None
        self._beside = ThreadPoolExecutor(BEGUN, "rag-dolly-embed")

    @loaded_once
    def identity(self) -> Identity:
        """Name, weights hash, dimension and prompts, from the model's own files."""
        prompts = self._json("config_sentence_transformers.json").get("prompts") or {}
        passage = next((prompts[key] for key in ("document", "passage", "corpus") if prompts.get(key)), "")
        dimension = self._json("1_Pooling/config.json").get("word_embedding_dimension")
        dimension = dimension or self._json("config.json").get("hidden_size")
        if not dimension:
            raise ModelNotFound(f"{self.folder} is not a sentence-transformers model: no 1_Pooling/config.json.")
        return Identity(self.name, verified_sha256(self.folder), int(dimension), prompts.get("query") or "", passage)

    @loaded_once
    def max_tokens(self) -> int:
        """The model's own limit, less the special tokens that stand around a text."""
        limit = self._json("sentence_bert_config.json").get("max_seq_length")
        limit = limit or self._json("config.json").get("max_position_embeddings") or 512
        return int(limit) - self._tokenizer.num_special_tokens_to_add(False) - self._prompt_tokens()

    def token_spans(self, text: str) -> list[Span]:
        """See `Embedder.token_spans`."""
        return [span for span in self._tokenizer.encode(text, add_special_tokens=False).offsets if span[1] > span[0]]

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed_passages`. Texts longer than the limit are cut at the limit by the model.

        Any number may be given: texts are sorted by length and batched by tokens, and vectors come in the order of
        the texts. Best handed over in groups of `GROUP` or more.
        """
        if not texts:
            return np.zeros((0, self.identity.dimension), dtype=np.float32)
        prompt = self.identity.passage_prompt
        encoder = self._engine
        if encoder is None and len(texts) <= FEW and "_model" not in self.__dict__:
            encoder = self._light
        if encoder is not None:
            vectors: Vectors = encoder.embed([prompt + text for text in texts])
            return vectors
        batch = max(16, GPU_TOKENS // self.max_tokens) if self._model.device.type == "cuda" else 16
        made = self._model.encode_document(list(texts), batch_size=batch, show_progress_bar=False)
        return _unit(np.asarray(made, dtype=np.float32))

    def embed_query(self, text: str) -> Vectors:
        """See `Embedder.embed_query`. Runs without torch where the model is a plain BERT."""
        if self._light:
            query: Vectors = self._few.embed([self.identity.query_prompt + text])[0]
            return query
        vector = self._model.encode_query(text, show_progress_bar=False)
        return _unit(np.asarray(vector, dtype=np.float32))

    def begin_query(self, text: str) -> Callable[[], Vectors]:
        """See `Embedder.begin_query`. A thread does it until OpenVINO is loaded, which needs none."""
        if self._quick is None:
            return self._beside.submit(self.embed_query, text).result
        return self._quick.begin(self.identity.query_prompt + text)  # type: ignore[no-any-return]

    def embed_sentences(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed_sentences`. Runs without torch where the model is a plain BERT."""
        if not texts:
            return np.zeros((0, self.identity.dimension), dtype=np.float32)
        if self._light:
            vectors: Vectors = self._few.embed(texts)
            return vectors
        return self.embed_passages(texts)

    def token_vectors(self, texts: Sequence[str]) -> list[Vectors] | None:
        """See `TokenEmbedder.token_vectors`. A plain BERT has them; it runs without torch."""
        if self._light is None:
            return None
        if not texts:
            return []
        encoder = (len(texts) <= FEW and self._quick) or self._openvino or self._light
        vectors: list[Vectors] = encoder.token_vectors(texts)
        return vectors

    def knows(self, text: str) -> float:
        """See `Embedder.knows`: told from the tokenizer's vocabulary."""
        if text.isascii():
            return 1.0
        return 1.0 if self._scripts is None else share_known(text, self._scripts)

    @loaded_once
    def _scripts(self) -> frozenset[str] | None:
        return known_scripts(self._tokenizer.get_vocab())

    @loaded_once
    def _light(self) -> Any:
        from ingest.bert import BertEncoder

        return BertEncoder.load(self.folder, self._tokenizer)

    @property
    def _few(self) -> Any:
        """What embeds a few short texts: numpy at first, and from some calls on OpenVINO, loaded meanwhile."""
        with self._counting:
            self._calls += 1
            if self._calls == WARM_AFTER:
                Thread(target=self._warm_up).start()
        return self._quick or self._light

    def _warm_up(self) -> None:
        from ingest.bert_openvino import load

        self._quick = load(self._light, "LATENCY")

    @loaded_once
    def _engine(self) -> Any:
        """What embeds passages on a processor, or None: for sentence-transformers to do it."""
        return None if self._light is None or has_cuda() else self._openvino

    @loaded_once
    def _openvino(self) -> Any:
        from ingest.bert_openvino import load

        return load(self._light)

    @loaded_once
    def _model(self) -> "SentenceTransformer":
        self.identity  # noqa: B018  the weights are checked before they are used
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # type: ignore[no-untyped-call]
        dtype = torch.float32
        if torch.cuda.is_available():
            dtype = torch.bfloat16 if torch.cuda.get_device_capability() >= (8, 0) else torch.float16
        elif torch.cpu._is_avx512_bf16_supported():
            dtype = torch.bfloat16
        return SentenceTransformer(
            str(self.folder), local_files_only=True, trust_remote_code=False, model_kwargs={"dtype": dtype}
        )

    @loaded_once
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        path = self.folder / "tokenizer.json"
        if not path.exists():
            raise ModelNotFound(f"The embedder in {self.folder} has no tokenizer.json; it cannot be used here.")
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return tokenizer

    def _prompt_tokens(self) -> int:
        prompt = self.identity.passage_prompt
        return len(self._tokenizer.encode(prompt, add_special_tokens=False).ids) if prompt else 0

    def _json(self, name: str) -> dict[str, Any]:
        path = self.folder / name
        loaded = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        return loaded if isinstance(loaded, dict) else {}


def has_cuda() -> bool:
    """Whether torch can use a GPU by CUDA or ROCm. Torch is imported only where a driver is installed."""
    windows = os.environ.get("SYSTEMROOT", "")
    drivers = ["/dev/nvidiactl", "/dev/dxg", "/dev/kfd", f"{windows}/System32/nvcuda.dll"]
    if not any(Path(driver).exists() for driver in drivers):
        return False
    import torch

    return torch.cuda.is_available()


def _unit(vectors: Vectors) -> Vectors:
    """Scale to length 1 in fp32: what a model normalised in bf16 is off by up to 0.3 %."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Vectors = vectors / np.maximum(lengths, np.float32(1e-12))
    return unit


def open_embedder(name: str = "auto", offline: bool = False) -> ModelEmbedder:
    """Return the embedder called `name`: "auto" (the bundled one), a directory, or a hub name.

    A hub is asked only when a hub name is given, the model is not in the local cache, and `offline` is false.
    Raises `ModelNotFound`.
    """
    folder, label = find_embedder(name, offline)
    return ModelEmbedder(folder, label)
