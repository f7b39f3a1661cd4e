"""Settings, read once at the edge: defaults < rag-dolly.toml < RAG_DOLLY_* < flags. Inside, plain arguments."""

from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from rag_dolly.errors import BadSetting

FILE = "rag-dolly.toml"


class Settings(BaseSettings):
    """What a user can set. Each field is a key of rag-dolly.toml and, upper-cased, a RAG_DOLLY_ variable."""

    model_config = SettingsConfigDict(env_prefix="RAG_DOLLY_", toml_file=FILE, extra="forbid", frozen=True)

    index: Path = Field(Path(".rag-dolly"), description="the index folder")
    embedder: str = Field("auto", description="auto, a model directory, or a hub name")
    reranker: str = Field("none", description="none, a model directory, or a hub name")
    model: str = Field("auto", description="auto, none, a hub name, a model directory, or a .gguf file")
    device: str = Field("auto", description="auto, cpu, cuda, cuda:0, mps")
    offline: bool = Field(False, description="never ask a model hub")
    top_k: int = Field(5, ge=1, le=100, description="passages retrieved for an answer")
    max_tokens: int = Field(256, ge=1, le=4096, description="tokens an answer may have")

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
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


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
    except ValueError as error:
        raise BadSetting(f"{FILE} cannot be read: {error}") from error
