"""The documentation says what is there: links, commands, settings, files, dependencies, and examples that run."""

import re
import tomllib
from pathlib import Path

import pytest
import typer.main
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, ToolMessage

from ingest.embed import ModelEmbedder, open_embedder
from ingest.sync import ingest_paths
from rag_dolly.cli import app
from rag_dolly.settings import Settings
from tests import make_cli

ROOT = Path(__file__).parent.parent
PAGES = sorted((ROOT / "docs").glob("*.md"))
TEXTS = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```\n(<!-- not run in tests)?", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
SCREENSHOT = "docs/images/ask.png"


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def without_code(text: str) -> str:
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """What GitHub makes of headings."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in LINK.findall(without_code(page.read_text(encoding="utf-8"))):
        if "://" in link or link == SCREENSHOT:
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{page.name}: {link}"


@pytest.mark.skipif(not (ROOT / SCREENSHOT).parent.exists(), reason="made by tests/browser/screenshot.py")
def test_the_readme_shows_the_page():
    assert (ROOT / SCREENSHOT).read_bytes().startswith(b"\x89PNG") and f"]({SCREENSHOT})" in read("README.md")


def test_every_page_is_linked_from_the_overview():
    linked = set(LINK.findall(read("docs/index.md")))
    assert {page.name for page in PAGES} - {"index.md"} <= linked


def test_the_commands_page_is_up_to_date():
    assert read("docs/cli.md") == make_cli.page(), "run `make docs`"


def test_every_command_is_documented():
    names = [name for name, _ in make_cli.commands(typer.main.get_command(app))]
    prose = "".join(page.read_text(encoding="utf-8") for page in PAGES if page.name != "cli.md") + read("README.md")
    assert len(names) >= 9
    assert [name for name in names if name not in prose] == []


def test_every_setting_is_documented():
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| `([\w-]+)` \| `([^`]+)` \|", read("docs/settings.md"), re.MULTILINE)
    documented = {key: (variable, flag, default) for key, variable, flag, default in rows}
    assert documented == {
        key: (f"RAG_DOLLY_{key.upper()}", "--" + key.replace("_", "-"), str(field.default).lower())
        for key, field in Settings.model_fields.items()
    }


def test_every_source_file_is_in_the_architecture():
    files = {
        path.relative_to(ROOT).as_posix() for top in ("ingest", "rag_dolly") for path in (ROOT / top).rglob("*.py")
    }
    documented = set(re.findall(r"^\| `([\w/]+\.py)` \|", read("docs/architecture.md"), re.MULTILINE))
    assert documented == files | {"streamlit_app.py"}


def test_every_dependency_has_its_licence():
    project = tomllib.loads(read("pyproject.toml"))["project"]
    page = read("docs/licences.md")
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        name = re.match(r"[\w-]+", requirement)[0]
        assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", page), name


class WithoutTorch(ModelEmbedder):
    """The bundled embedder that embeds passages as it embeds sentences, in numpy: the same vectors, sooner."""

    def embed_passages(self, texts):
        return self.embed_sentences(texts)


class ChatModel(FakeMessagesListChatModel):
    """A chat model that calls the tool, then repeats what the tool said."""

    def bind_tools(self, tools, **_):
        assert [tool.name for tool in tools] == ["ask_documents"]
        return self


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A folder with one of these pages in `docs` and its index, as the examples expect."""
    folder = tmp_path_factory.mktemp("workspace")
    (folder / "docs").mkdir()
    (folder / "docs" / "ingest.md").write_text(read("docs/ingest.md"), encoding="utf-8")
    bundled = open_embedder()
    ingest_paths([folder / "docs"], folder / ".rag-dolly", WithoutTorch(bundled.folder, bundled.name))
    return folder


@pytest.fixture
def run(workspace, monkeypatch):
    """Run the Python examples of a page one after the other; return the names that they leave."""
    monkeypatch.chdir(workspace)
    monkeypatch.setenv("RAG_DOLLY_MODEL", "none")

    def run_page(name: str, **given) -> dict:
        namespace = {"__name__": "example", **given}
        for language, code, is_skipped in FENCE.findall(read(name)):
            if language == "python" and not is_skipped:
                exec(compile(code, name, "exec"), namespace)
        return namespace

    return run_page


def test_the_readme_example_answers(run, capsys):
    left = run("README.md")
    assert left["answer"]["mode"] == "quoted"
    assert left["answer"]["citations"][0]["source"] == "ingest.md"
    assert "ingest FOLDER" in capsys.readouterr().out


def test_the_python_page_runs(run):
    call = {"name": "ask_documents", "args": {"question": "What happens to a file that cannot be read?"}, "id": "1"}
    chat_model = ChatModel(responses=[AIMessage("", tool_calls=[call]), AIMessage("Done.")])
    left = run("docs/chain.md", chat_model=chat_model)
    fields = re.findall(r"^\| `(\w+)` \|", read("docs/chain.md"), re.MULTILINE)
    assert set(fields) == set(left["answer"])
    assert left["whole"]["answer"] == left["answer"]["answer"]
    assert left["report"].unchanged == 1
    said = [message for message in left["state"]["messages"] if isinstance(message, ToolMessage)]
    assert "listed as failed" in said[0].text and "ingest.md" in said[0].text
