"""Each state that stands in the way: made to happen behind the seam, said with what to do, on Ask, Library, Health."""

import pytest
from fake_states import NAMES, backend
from streamlit.testing.v1 import AppTest
from test_app_jobs import until
from test_app_pages import SCRIPT, html

from ingest.errors import IndexMismatch
from rag_dolly.app import resources, states
from rag_dolly.app.engine import Engine

SAID = {
    "mismatch": ("Another embedder made this index", "<code>rag-dolly reembed --embedder other/model</code>"),
    "embedder": ("The embedder is missing", "name one that is here"),
    "model": ("The language model is missing", "<code>rag-dolly app --model none</code>"),
    "memory": ("Not enough memory for the model", "<code>rag-dolly app --quantize 4bit</code>"),
    "server": ("The model server does not answer", "Start the server, then try again."),
    "empty": ("No documents yet", "rag-dolly ingest FOLDER"),
}


@pytest.fixture
def opened(tmp_path):
    def open_page(name, page=SCRIPT):
        engine = Engine(backend(name, tmp_path), together=1)
        resources.install(engine)
        engine.start()
        until(lambda: engine.state not in (("opening",) if name == "loading" else ("opening", "loading")))
        at = AppTest.from_file(page) if page == SCRIPT else AppTest.from_function(page)
        at.default_timeout = 20
        at.run()
        at.engine = engine
        return at

    return open_page


def library_page():
    from rag_dolly.app import resources
    from rag_dolly.app.library import page as library

    library.show(resources.engine())


def health_page():
    from rag_dolly.app import health, resources

    health.show(resources.engine())


@pytest.mark.parametrize("name", SAID)
def test_what_stands_in_the_way_has_a_title_and_says_what_to_do(opened, name):
    at = opened(name)
    for words in SAID[name]:
        assert words in html(at)
    assert not at.exception and not at.chat_input


def test_every_state_has_a_page(opened):
    for name in NAMES:
        for page in (library_page, health_page):
            assert not opened(name, page).exception


def test_the_library_works_without_the_model(opened):
    at = opened("memory", library_page)
    assert "Not enough memory for the model" in html(at) and "garden" in at.button(key="doc-0").label


def test_the_library_says_why_it_has_no_index(opened):
    assert "Another embedder made this index" in html(opened("mismatch", library_page))


def test_a_model_that_loads_is_said_and_questions_are_taken(opened):
    at = opened("loading")
    assert "loading" in html(at) and not at.chat_input[0].proto.disabled
    assert "is loading; questions are taken already" in html(opened("loading", health_page))


def test_memory_that_runs_out_without_words_has_words(tmp_path):
    class Full(type(backend("empty", tmp_path))):
        def open_chain(self, tell):
            raise MemoryError

    engine = Engine(Full(tmp_path, {}))
    engine.start()
    until(lambda: engine.state == "failed")
    assert states.title(engine.problem, True) == "Not enough memory for the model" and "Memory ran out" in engine.error


def test_a_damaged_index_is_not_taken_for_one_of_another_embedder():
    assert states.title(IndexMismatch("The index is damaged: x"), False) == "This index cannot be used"


def test_lines_of_others_stay_text():
    assert states.coded("a <b> `<i>x</i>`") == "a &lt;b&gt; <code>&lt;i&gt;x&lt;/i&gt;</code>"
    assert states.coded("set --embedder; a--b") == "set <code>--embedder</code>; a--b"
