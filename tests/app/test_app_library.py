"""The page Library: lists, search, states, what is done to documents, and two sessions side by side."""

from zlib import crc32

import pytest
from fake_states import BUSY
from page_fakes import GUIDE, FakeBackend
from streamlit.testing.v1 import AppTest
from test_app_jobs import until
from test_app_pages import html, press

from ingest.listing import Look
from rag_dolly.app import resources
from rag_dolly.app.engine import Engine

MANY = {f"reports/{n // 50}/report {n:03}.md": f"Report {n}." for n in range(180)}


def _library():
    from rag_dolly.app import resources
    from rag_dolly.app.library import page as library

    library.show(resources.engine())


@pytest.fixture
def library(tmp_path):
    """Return a function that opens the page Library on a fake backend; `at.engine` is the engine."""

    def open_page(texts=None, prepare=lambda engine: None, **given):
        engine = Engine(FakeBackend(tmp_path, texts, **given))
        resources.install(engine)
        engine.start()
        until(lambda: engine.state not in ("opening", "loading"))
        prepare(engine)
        return visit(engine)

    return open_page


def visit(engine):
    """Open the page in a further session."""
    at = AppTest.from_function(_library, default_timeout=20).run()
    at.engine = engine
    return at


def lines(at, kind="doc"):
    """Return the names in the list, and what is said of each."""
    return [button.label.replace("\\", "") for button in at.button if (button.key or "").startswith(f"{kind}-")
            and button.key.split("-")[1].isdigit()]  # fmt: skip


def ended(at):
    until(lambda: at.session_state["run"].finished)
    return at.run()


def test_folders_lead_to_documents(library):
    at = library(MANY | {"garden.md": GUIDE})
    assert "181 documents · 181 passages" in html(at)
    assert lines(at, "dir") == ["**reports** *180 documents · 180 kB*"]
    assert lines(at) == ["**garden.md** *1 passage · 1 kB*"]
    press(at, "dir-0")
    assert [line.split("*")[2] for line in lines(at, "dir")] == ["0", "1", "2", "3"] and not lines(at)
    press(at, "dir-3")
    assert len(lines(at)) == 30 and lines(at)[0] == "**report 150.md** *1 passage · 1 kB*"
    press(at, "crumb-1")
    assert len(lines(at, "dir")) == 4


def test_a_folder_of_many_documents_has_pages(library):
    at = library({f"note {n:03}.md": "Note." for n in range(75)})
    assert len(lines(at)) == 30
    at.session_state[f"pages-{crc32(repr(Look()).encode())}-3"] = 3
    at.run()
    assert lines(at)[0].startswith("**note 060.md**") and len(lines(at)) == 15


def test_search_looks_below_the_folder_and_names_whole_paths(library):
    at = library(MANY | {"garden 007.md": GUIDE})
    at.text_input(key="look-text").set_value("report 07").run()
    assert lines(at)[0] == "**reports/0/report 007.md** *1 passage · 1 kB*" and len(lines(at)) == 12
    at.text_input(key="look-text").set_value("100% _").run()
    assert not lines(at) and "No document here is like that." in html(at)


def test_what_was_not_read_has_its_reason_and_can_be_listed_alone(library):
    def spoil(engine):
        engine.index.failed["scan <b>.pdf"] = "no text in it: a scan?"
        engine.index.partial["book.md"] = "page 2: a scan\npage 3: <i>broken</i>"

    at = library({"garden.md": GUIDE, "book.md": "Book."}, spoil)
    assert "1 in part · 1 could not be read" in html(at)
    assert lines(at)[-1] == "**scan <b>.pdf** *no text in it: a scan?*"
    at.session_state["look-state"] = "failed"
    at.run()
    assert len(lines(at)) == 1
    press(at, "doc-0")
    assert "scan &lt;b&gt;.pdf" in html(at) and "no text in it: a scan?" in html(at)
    press(at, "document-close")
    at.session_state["look-state"] = "partial"
    at.run()
    press(at, "doc-0")
    assert "page 2: a scan</dd>" in html(at) and "page 3: &lt;i&gt;broken&lt;/i&gt;</dd>" in html(at)


def test_a_document_opens_with_its_text(library):
    at = library({"garden.md": GUIDE})
    press(at, "doc-0")
    assert at.query_params["document"] in ("garden.md", ["garden.md"])
    assert "Water the tomatoes in the morning." in html(at) and "read · md · 1 passage" in html(at)
    press(at, "document-close")
    assert lines(at)


def test_an_address_that_names_no_document_shows_the_list(library):
    at = library({"garden.md": GUIDE})
    at.query_params["document"] = "../../etc/passwd"
    at.run()
    assert lines(at) and not at.exception


def test_a_failed_document_can_be_tried_again(library):
    at = library({"garden.md": GUIDE}, lambda engine: engine.index.failed.update({"torn.pdf": "cut off"}))
    press(at, "doc-1")
    assert at.button(key="document-again").label == "Try again"
    press(at, "document-again")
    ended(at)
    assert at.success[0].value == "1 added\\."
    assert "Read at last." in html(at)


def test_forgetting_asks_first(library):
    at = library({"garden.md": GUIDE, "soil.md": "Soil."})
    press(at, "doc-1")
    press(at, "document-forget")
    assert "Forget soil.md for good?" in html(at) and "soil.md" in at.engine.index.texts
    press(at, "forget-no")
    assert "for good?" not in html(at)
    press(at, "document-forget")
    press(at, "forget-yes")
    ended(at)
    assert "soil.md" not in at.engine.index.texts and len(lines(at)) == 1
    assert "still on the disk" in at.success[0].value.replace("\\", "")


def test_a_folder_is_forgotten_with_all_below_it(library):
    at = library(MANY | {"garden.md": GUIDE})
    press(at, "dir-0")
    press(at, "dir-0")
    press(at, "folder-forget")
    assert "Forget 0 and 50 documents in it for good?" in html(at)
    press(at, "forget-yes")
    ended(at)
    assert len(at.engine.index.texts) == 131


def test_a_folder_is_looked_through_before_it_is_read(library, tmp_path):
    at = library({"garden.md": GUIDE})
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.md").write_text("# A\n\nText of a.\n")
    (folder / "b.bin").write_bytes(b"\0")
    at.text_input(key="folder-path").set_value(str(folder))
    look = next(button for button in at.button if button.label == "Look inside")
    look.click().run()
    assert "1 file to read, 16 B: 1 .md. 1 passed over." in html(at) and "a.md" not in at.engine.index.texts
    press(at, "folder-read")
    ended(at)
    assert "Text of a." in at.engine.index.texts["a.md"]


@pytest.mark.parametrize("given", ["", "papers", "/no/such/folder", "/", "~/.ssh"])
def test_what_is_no_folder_to_read_is_said(library, given):
    at = library({"garden.md": GUIDE})
    at.text_input(key="folder-path").set_value(given)
    next(button for button in at.button if button.label == "Look inside").click().run()
    assert len(at.error) == 1 and not at.exception
    assert "folder-read" not in [button.key for button in at.button]


def test_files_of_no_suffix_and_old_kinds_are_taken_and_the_hint_is_short(library):
    at = library({"garden.md": GUIDE})
    uploader = at.file_uploader[0]
    assert len(uploader.proto.help) < 200 and "source code" in uploader.proto.help and not uploader.proto.type
    uploader.set_value([("README", b"Read me.", ""), ("partly.md", b"Half.", "text/markdown")])
    next(button for button in at.button if button.label == "Add to the library").click().run()
    ended(at)
    said = [element.value for element in at.markdown]
    assert at.warning[0].value.startswith("2 of 2 files indexed.")
    assert any("README" in line and "indexed" in line for line in said)
    assert any("read in part" in line and "page 2" in line for line in said)


def test_uploading_reports_each_file(library):
    at = library({"garden.md": GUIDE})
    at.file_uploader[0].set_value([("new.md", b"New.", "text/plain"), ("broken *x*.md", b"?", "text/plain")])
    next(button for button in at.button if button.label == "Add to the library").click().run()
    ended(at)
    assert at.warning[0].value.startswith("1 of 2 files indexed.")
    said = [element.value for element in at.markdown]
    assert any("new\\.md" in line and "indexed" in line for line in said)
    assert any("broken \\_x\\_\\.md" in line and "not what its name says" in line for line in said)
    assert any("new.md" in line for line in lines(at))


def test_an_index_that_another_process_writes_is_said_and_tried_again(library):
    at = library({"garden.md": GUIDE}, lambda engine: setattr(engine.backend, "busy", BUSY))
    press(at, "folder-update")
    ended(at)
    assert "The index is being written" in html(at) and "Wait until the other process" in html(at)
    press(at, "run-again")
    ended(at)
    assert at.success[0].value == "1 unchanged\\."


def test_a_run_can_be_stopped(library):
    at = library(MANY, pause=0.02)
    press(at, "folder-anew")
    until(lambda: at.session_state["run"].done > 2)
    at.run()
    assert 'role="progressbar"' in html(at) and "of 180 files" in html(at)
    press(at, "run-stop")
    ended(at)
    assert at.info[0].value.startswith("Stopped") and at.session_state["run"].done < 180


def test_another_session_sees_that_something_is_done_but_no_names(library):
    at = library(MANY, pause=0.02)
    press(at, "folder-anew")
    until(lambda: at.engine.run is not None and at.engine.run.recent)
    other = visit(at.engine)
    assert "changed in another window" in html(other) and "rd-recent" not in html(other)
    assert "run" not in other.session_state or other.session_state["run"] is None
    press(other, "dir-0")
    assert "look-folder" not in at.session_state
    press(at.run(), "run-stop")
    ended(at)
    assert not other.run().info, "the outcome is the first session's"


def test_a_second_piece_of_work_waits_for_the_first(library):
    at = library(MANY, pause=0.01)
    other = visit(at.engine)
    press(at, "folder-anew")
    until(lambda: at.engine.run is not None)
    press(other, "folder-update")
    assert other.session_state["run"].phase == "waiting" and "Waiting" in html(other.run())
    press(at.run(), "run-stop")
    ended(at)
    ended(other)
    assert other.success[0].value == "180 unchanged\\."


def test_work_goes_on_without_its_page(library):
    at = library({"garden.md": GUIDE}, pause=0.05)
    press(at, "folder-anew")
    run = at.session_state["run"]
    del at
    until(lambda: run.finished)
    assert run.report.updated == 1
