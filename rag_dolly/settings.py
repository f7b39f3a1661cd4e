"""Settings, read once at the edge: defaults < rag-dolly.toml < RAG_DOLLY_* < flags. Inside, plain arguments."""

from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from rag_dolly.errors import BadSetting

FILE = "rag-dolly.toml"


class Settings(BaseSettings):
    """What a user can set. Each field is a key of rag-dolly.toml and, upper-cased, a RAG_DOLLY_ variable."""

    model_config = SettingsConfigDict(env_prefix="RAG_DOLLY_", toml_file=FILE, extra="forbid", frozen=True)

    index: Path = Field(Path(".rag-dolly"), description="the index folder")
    embedder: str = Field("auto", description="auto, a model directory, or a hub name")
    reranker: str = Field("auto", description="auto, none, maxsim, a model directory, or a hub name")
    model: str = Field("auto", description="auto, none, a hub name, a model directory, a .gguf file, or http://host/v1")
    served_model: str = Field("auto", description="which model of a server; auto: its only one")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:0, mps")
    quantize: Literal["auto", "none", "8bit", "4bit"] = Field(
        "auto", description="auto (8-bit on a processor and where a GPU is too small), none, 8bit, 4bit"
    )
    offload: bool = Field(False, description="let main memory hold what does not fit the GPU, slowly")
    offline: bool = Field(False, description="never ask a model hub or another machine")
    top_k: int = Field(5, ge=1, le=100, description="passages retrieved for an answer")
    max_tokens: int = Field(256, ge=1, le=4096, description="tokens an answer may have")
    keep_conversations: bool = Field(False, description="keep the page's conversations in the index folder")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Name the sources, strongest first."""
        return init_settings, env_settings, _File(settings_cls)


class _File(TomlConfigSettingsSource):
    """rag-dolly.toml, which may come with somebody else's folder: it cannot send questions to another machine."""

    def __call__(self) -> dict[str, Any]:
        """Return what the file says. Raises `BadSetting` if it names a model server that is not on this machine."""
        found = super().__call__()
        address = urlsplit(str(found.get("model", "")))
        elsewhere = address.scheme in ("http", "https") and address.hostname not in ("localhost", "127.0.0.1", "::1")
        if elsewhere and "model" not in self.current_state:  # named by nothing stronger
            raise BadSetting(
                f"{FILE} names the model server {address.hostname}, which would get your questions and passages: "
                "expected a server on this machine there; name another one with --model or RAG_DOLLY_MODEL."
            )
        return found


def load_settings(**overrides: Any) -> Settings:
    """Return the settings in force. Overrides that are None do not count. Raises `BadSetting`."""
    try:
        return Settings(**{key: value for key, value in overrides.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        if first["type"] == "extra_forbidden":
            known = ", ".join(Settings.model_fields)
            raise BadSetting(f"Unknown setting '{name}': expected one of {known}.") from error
        raise BadSetting(f"Setting '{name}' is {first['input']!r}: {first['msg'].lower()}.") from error
    except BadSetting:
        raise
    except ValueError as error:
        raise BadSetting(f"{FILE} cannot be read: {error}") from error
