"""Uploads: checked on this side, named by us, one broken file does not stop the others."""

import pytest
from page_fakes import FakeBackend
from test_app_jobs import until

from ingest.errors import IndexBusy
from rag_dolly.app.engine import Engine
from rag_dolly.app.library import uploads


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("notes.md", "notes.md"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\windows\\system.txt", "system.txt"),
        ("/abs/olute.md", "olute.md"),
        ("a\x00b\x1b[31m\u202egnp.md", "ab[31mgnp.md"),
        (".hidden.md", "hidden.md"),
        ("con.md", "_con.md"),
        ('a<b>:"|?*.md', "a_b______.md"),
        ("REPORT.MD", "REPORT.md"),
        ("..", "document"),
        ("", "document"),
        ("e\u0301.md", "é.md"),
    ],
)
def test_names_are_rebuilt(given, name):
    assert uploads.safe_name(given) == name


def test_long_names_fit_a_file_system_and_keep_their_suffix():
    name = uploads.safe_name("語" * 300 + ".md")
    assert len(name.encode()) <= 200 and name.endswith("語.md")


@pytest.mark.parametrize(
    ("name", "size", "reason"),
    [
        ("a.md", 1, ""),
        ("README", 1, ""),
        ("main.rs", 1, ""),
        ("old.doc", 1, ""),
        ("a.exe", 1, "Files of this kind (.exe) cannot be read."),
        ("a", 1, "Files of this kind (no suffix) cannot be read."),
        ("a.md", 0, "The file is empty."),
        ("a.md", uploads.MAX_BYTES + 1, "The file is larger than 50 MB."),
    ],
)
def test_what_is_refused(name, size, reason):
    assert uploads.refusal(name, size) == reason


def engine_in(folder, **given):
    engine = Engine(FakeBackend(folder, **given))
    engine.start()
    until(lambda: engine.state not in ("opening", "loading"))
    return engine


def outcome(run):
    until(lambda: run.finished)
    return {file.name: (file.state, file.reason) for file in run.files}


def test_good_files_are_indexed_and_the_others_say_why(tmp_path):
    engine = engine_in(tmp_path, texts={"old.md": "Old."})
    run = uploads.start(
        engine, [("new.md", b"New text."), ("broken.md", b"?"), ("virus.exe", b"MZ"), ("empty.md", b"")]
    )
    assert outcome(run) == {
        "new.md": ("indexed", ""),
        "broken.md": ("failed", "not what its name says"),
        "virus.exe": ("refused", "Files of this kind (.exe) cannot be read."),
        "empty.md": ("refused", "The file is empty."),
    }
    assert engine.index.texts["new.md"] == "New text."
    assert sorted(path.name for path in (tmp_path / "uploads").iterdir()) == ["broken.md", "new.md"]


def test_what_was_not_read_of_a_file_is_said_and_only_of_files_of_this_run(tmp_path):
    engine = engine_in(tmp_path, texts={"elsewhere/new.md": "Old."})
    engine.index.partial["elsewhere/new.md"] = "page 9: a scan"
    run = uploads.start(engine, [("new.md", b"New."), ("partly.md", b"Half.")])
    assert outcome(run) == {
        "new.md": ("indexed", ""),
        "partly.md": ("partial", "page 2: a scan; page 3: a scan"),
    }


def test_the_first_upload_makes_the_index_and_the_engine_opens_it(tmp_path):
    engine = engine_in(tmp_path)
    assert engine.state == "missing"
    outcome(uploads.start(engine, [("first.md", b"First.")]))
    until(lambda: engine.state == "ready")
    assert engine.index.passage_count == 1


def test_a_run_that_fails_as_a_whole_says_so_in_one_line(tmp_path):
    class Busy(FakeBackend):
        def ingest(self, paths, on_progress):
            raise IndexBusy("Another process is writing to the index: try again when it is done.")

    run = uploads.start(Engine(Busy(tmp_path)), [("a.md", b"A.")])
    until(lambda: run.finished)
    assert run.finished and run.error.startswith("Another process is writing")


def test_a_link_in_the_folder_is_replaced_not_followed(tmp_path):
    victim = tmp_path / "victim.md"
    victim.write_text("untouched")
    folder = tmp_path / "uploads"
    folder.mkdir()
    (folder / "a.md").symlink_to(victim)
    uploads.save(folder, "a.md", b"new")
    assert victim.read_text() == "untouched"
    assert (folder / "a.md").read_text() == "new" and not (folder / "a.md").is_symlink()
