"""The folder is the truth, one bad file stops nothing, and mistakes leave the index as it was."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from ingest.embed import Identity
from ingest.errors import IndexBusy, IndexMismatch, IndexMissing, NothingToIngest, RagDollyError
from ingest.index import FILE, Index
from ingest.passage import Block, Document, Passage
from ingest.store import FileFacts, Store
from ingest.sync import GROUP, ingest_paths
from ingest.writing import writing
from tests.fakes import HashingEmbedder


def sources(index):
    return [row.source for row in index.documents() if row.state == "indexed"]


def test_a_folder_is_indexed_with_sources_relative_to_it(folder, ingest, tmp_path, embedder):
    report = ingest(folder)
    assert (report.added, report.updated, report.deleted, report.failed) == (3, 0, 0, [])
    index = Index.open(tmp_path / "index", embedder)
    assert sources(index) == ["bees.md", "guide/lighthouse.txt", "guide/tea.html"]
    assert report.passages == index.passage_count == len(list(index.all_passages()))


def test_stored_offsets_point_into_the_stored_text(index):
    for stored in index.all_passages():
        document = index.read_document(stored.passage.source)
        assert document.text[stored.passage.start : stored.passage.end] == stored.passage.text


def test_offsets_of_plain_text_are_those_of_the_file(index, folder):
    text = (folder / "bees.md").read_text()
    for stored in index.passages_of("bees.md"):
        assert text[stored.passage.start : stored.passage.end] == stored.passage.text


def test_nothing_new_embeds_nothing(folder, ingest, embedder):
    ingest(folder)
    before = len(embedder.embedded)
    report = ingest(folder)
    assert (report.added, report.unchanged) == (0, 3)
    assert len(embedder.embedded) == before


def test_added_updated_deleted(folder, ingest, index, embedder):
    (folder / "new.txt").write_text("A new document about clocks.")
    (folder / "guide/lighthouse.txt").write_text("The lighthouse was torn down.")
    (folder / "guide/tea.html").unlink()
    report = ingest(folder)
    assert (report.added, report.updated, report.deleted, report.unchanged) == (1, 1, 1, 1)
    assert sources(index) == ["bees.md", "guide/lighthouse.txt", "new.txt"]
    assert index.keyword("whale oil lamp", 5) == []
    assert [p.passage.source for p in index.passages([i for i, _ in index.keyword("clocks", 5)])] == ["new.txt"]


def test_only_passages_that_changed_are_embedded_again(folder, ingest, embedder):
    ingest(folder)
    before = len(embedder.embedded)
    text = (folder / "bees.md").read_text()
    (folder / "bees.md").write_text(text.replace("15 kilograms", "20 kilograms"))
    ingest(folder)
    assert len(embedder.embedded) == before + 1


def test_a_renamed_file_is_not_embedded_again(folder, ingest, embedder, index):
    before = len(embedder.embedded)
    (folder / "bees.md").rename(folder / "hives.md")
    report = ingest(folder)
    assert (report.added, report.deleted) == (1, 1)
    assert len(embedder.embedded) == before
    assert "hives.md" in sources(index) and "bees.md" not in sources(index)


def test_one_broken_file_does_not_stop_the_rest(folder, ingest, index):
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 this is not really a PDF")
    (folder / "empty.txt").write_bytes(b"")
    (folder / "late.txt").write_text("Written after the broken one.")
    report = ingest(folder)
    assert report.added == 1
    assert sorted(source for source, _ in report.failed) == ["broken.pdf", "empty.txt"]
    assert all(reason and "\n" not in reason for _, reason in report.failed)
    states = {row.source: row.state for row in index.documents()}
    assert states["broken.pdf"] == "failed" and states["late.txt"] == "indexed"
    (folder / "empty.txt").write_text("Now it has text.")
    assert ingest(folder).added == 1


def test_what_is_passed_over_is_said(folder, ingest, index):
    (folder / "photo.raw").write_bytes(b"\x00")
    (folder / ".git").mkdir()
    (folder / ".git/config.txt").write_text("secret")
    report = ingest(folder)
    assert report.skipped == [(".git/", "ignored by default: version control"), ("photo.raw", "unsupported kind: .raw")]
    assert not any(row.source.startswith(".git/c") for row in index.documents())


def test_links_out_of_the_folder_are_not_followed(folder, ingest, tmp_path, index):
    (tmp_path / "outside.txt").write_text("not yours to read")
    (folder / "link.txt").symlink_to(tmp_path / "outside.txt")
    assert ("link.txt", "a symbolic link that leads out of the folder") in ingest(folder).skipped
    assert index.keyword("yours to read", 5) == []


def test_a_part_of_a_folder_can_be_brought_up_to_date_alone(folder, ingest, index):
    (folder / "bees.md").unlink()
    (folder / "guide/new.txt").write_text("A new guide.")
    report = ingest(folder / "guide")
    assert (report.added, report.deleted) == (1, 0)
    assert "guide/new.txt" in sources(index) and "bees.md" in sources(index)


def test_two_folders_with_the_same_file_name_stay_apart(tmp_path, ingest, embedder):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "readme.txt").write_text(f"This is folder {name}.")
    ingest(tmp_path / "a", tmp_path / "b")
    index = Index.open(tmp_path / "index", embedder)
    assert sources(index) == ["b/readme.txt", "readme.txt"]
    (tmp_path / "b/readme.txt").unlink()
    assert ingest(tmp_path / "b").deleted == 1
    assert sources(index) == ["readme.txt"]


def test_a_folder_around_an_indexed_one_takes_it_over(folder, ingest, tmp_path, embedder):
    ingest(folder / "guide")
    ingest(folder)
    index = Index.open(tmp_path / "index", embedder)
    assert sources(index) == ["bees.md", "guide/lighthouse.txt", "guide/tea.html"]


def test_uploads_in_the_index_folder_stay_when_the_folder_around_it_is_ingested(folder, embedder):
    home = folder / ".rag-dolly"
    ingest_paths([folder], home, embedder)
    (home / "uploads").mkdir()
    (home / "uploads" / "note.txt").write_text("An uploaded note on walnuts.")
    for _ in range(2):
        ingest_paths([home / "uploads"], home, embedder)
        assert ingest_paths([folder], home, embedder).deleted == 0
    index = Index.open(home, embedder)
    assert sources(index) == ["bees.md", "guide/lighthouse.txt", "guide/tea.html", "uploads/note.txt"]
    assert index.read_document("uploads/note.txt").path == home / "uploads" / "note.txt"


def test_a_file_alone_can_be_indexed(folder, ingest, tmp_path, embedder):
    assert ingest(folder / "bees.md").added == 1
    assert sources(Index.open(tmp_path / "index", embedder)) == ["bees.md"]


def test_missing_and_empty_paths_change_nothing(folder, ingest, tmp_path, index):
    before = index.documents()
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToIngest, match="No such file"):
        ingest(tmp_path / "nowhere")
    with pytest.raises(NothingToIngest, match="Nothing to index"):
        ingest(tmp_path / "empty")
    assert index.documents() == before


def test_a_mistake_makes_no_index_folder(tmp_path, ingest, embedder):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToIngest):
        ingest(tmp_path / "empty")
    assert not (tmp_path / "index").exists()
    with pytest.raises(IndexMissing):
        Index.open(tmp_path / "index", embedder)


def test_another_embedder_is_refused_and_both_are_named(folder, ingest, tmp_path, index):
    other = HashingEmbedder("other")
    with pytest.raises(IndexMismatch, match=r"'hashing'.*'other'"):
        Index.open(tmp_path / "index", other)
    with pytest.raises(IndexMismatch):
        ingest(folder, embedder=other)
    assert index.passage_count > 0


def test_what_an_older_version_read_is_read_again(ingest, folder, tmp_path, embedder, index):
    before = len(embedder.embedded)
    Store(tmp_path / "index" / FILE)._run("UPDATE documents SET read_with = 'loaders 0, chunker 0'")
    report = ingest(folder)
    assert (report.updated, report.unchanged) == (3, 0)
    assert len(embedder.embedded) == before
    assert ingest(folder).unchanged == 3


def test_the_same_weights_under_another_name_are_the_same_embedder():
    assert Identity("a", "w", 3).fingerprint() == Identity("b", "w", 3).fingerprint()
    assert Identity("a", "w", 3).fingerprint() != Identity("a", "w", 3, "query: ").fingerprint()


def test_a_foreign_file_is_not_taken_for_an_index(tmp_path, embedder):
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / FILE).write_text("this is not a database, but it is long enough to be looked at" * 20)
    with pytest.raises(IndexMismatch):
        Index.open(tmp_path / "index", embedder)


def test_a_damaged_file_is_said_in_a_line(folder, ingest, tmp_path, embedder):
    ingest(folder)
    path = tmp_path / "index" / FILE
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xff" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises((IndexMismatch, RagDollyError)) as caught:
        index = Index.open(tmp_path / "index", embedder)
        index.dense(embedder.embed_query("bees"), 3)
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_said_in_a_line_and_loses_nothing(folder, ingest, tmp_path, embedder, index):
    before = index.passage_count
    store = Store(tmp_path / "index" / FILE)
    (pages,) = store._rows("PRAGMA page_count")[0]
    store._run(f"PRAGMA max_page_count = {pages}")
    document = Document("big.txt", "text", "", "x" * 10, (Block(0, 10),))
    passages = [(Passage("big.txt", n, "word " * 500, 0, 10, None, ()), str(n), bytes(128)) for n in range(500)]
    with pytest.raises(RagDollyError, match=r"full.*intact"):
        store.put_document(1, document, FileFacts("sha", 10), passages)
    assert index.passage_count == before and index.problems() == []


def test_an_index_inside_the_folder_is_not_indexed(folder, embedder):
    report = ingest_paths([folder], folder / "my-index", embedder)
    assert report.added == 3 and report.skipped == [("my-index/", "an index of this program")]


def test_a_second_writer_is_told_at_once(folder, ingest, tmp_path):
    ingest(folder)
    began = time.monotonic()
    with writing(tmp_path / "index"), pytest.raises(IndexBusy):
        ingest(folder)
    assert time.monotonic() - began < 5


def test_an_open_index_sees_what_another_thread_wrote_while_it_reads(folder, ingest, index):
    assert all("clock" not in p.passage.text for p in index.all_passages())
    (folder / "clock.txt").write_text("The clock was wound on Sundays.")
    thread = threading.Thread(target=ingest, args=(folder,))
    thread.start()
    while thread.is_alive():
        index.dense(index.embedder.embed_query("bees"), 3)
    thread.join()
    top = index.dense(index.embedder.embed_query("the clock was wound on sundays"), 1)
    assert index.passages([top[0][0]])[0].passage.source == "clock.txt"


KILLED = """
import os, signal, sys
from pathlib import Path
from ingest.sync import ingest_paths
from tests.fakes import HashingEmbedder

def on_progress(event):
    if event.stage == "stored" and event.passages > {after}:
        os.kill(os.getpid(), signal.SIGKILL)

ingest_paths([Path(sys.argv[1])], Path(sys.argv[2]), HashingEmbedder(), on_progress)
"""


def test_killed_in_the_middle_the_index_opens_and_the_next_run_finishes(tmp_path, ingest, embedder, request):
    many = tmp_path / "many"
    many.mkdir()
    for i in range(GROUP * 2):
        (many / f"{i:04}.txt").write_text(f"Document number {i} is about subject {i * 7}.")
    script = KILLED.format(after=GROUP + 20)
    ended = subprocess.run(
        [sys.executable, "-c", script, str(many), str(tmp_path / "index")],
        cwd=request.config.rootpath,
        env={**os.environ, "PYTHONPATH": str(request.config.rootpath)},
    )
    assert ended.returncode == -signal.SIGKILL
    index = Index.open(tmp_path / "index", embedder)
    stored = sources(index)
    assert len(stored) >= GROUP and index.passage_count == len(stored)
    assert index.problems() == []
    report = ingest(many)
    assert report.unchanged == len(stored) and report.added == GROUP * 2 - len(stored)
    assert index.passage_count == GROUP * 2


def test_progress_counts_files_to_the_end(folder, ingest):
    events = []
    ingest(folder, on_progress=events.append)
    assert events[0].stage == "found" and events[0].total == 3
    assert events[-1].done == events[-1].total == 3


def test_a_file_that_lies_there_twice_is_embedded_once_and_both_are_found(folder, ingest, embedder, index):
    (folder / "plain.txt").write_text("The ferry to the island leaves at noon.")
    ingest(folder)
    before = len(embedder.embedded)
    shutil.copy(folder / "plain.txt", folder / "guide" / "copied.txt")
    assert ingest(folder).added == 1
    assert len(embedder.embedded) == before
    found = {p.passage.source for p in index.passages([i for i, _ in index.keyword("ferry island noon", 5)])}
    assert found == {"plain.txt", "guide/copied.txt"}


def test_what_was_read_before_is_not_parsed_again_under_another_name(folder, ingest, index, monkeypatch):
    (folder / "bees.md").rename(folder / "hives.md")
    monkeypatch.setattr("ingest.parse.Parsers.parse", lambda *_: pytest.fail("parsed again"))
    assert ingest(folder).added == 1
    document = index.read_document("hives.md")
    assert document.title == "Keeping bees"
    for stored in index.passages_of("hives.md"):
        assert document.text[stored.passage.start : stored.passage.end] == stored.passage.text


def test_an_unchanged_file_is_not_opened(folder, ingest, monkeypatch):
    time.sleep(2.1)  # what was written just now is looked at once more
    ingest(folder)
    monkeypatch.setattr("ingest.sync._sha256", lambda path: pytest.fail(f"{path} was opened"))
    assert ingest(folder).unchanged == 3


def test_same_size_and_time_but_other_content_is_seen(folder, ingest, index):
    path = folder / "guide" / "lighthouse.txt"
    before = path.stat()
    text = path.read_text()
    path.write_text(text.replace("lighthouse", "lightboats"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert len(text) == path.stat().st_size
    assert ingest(folder).updated == 1


def test_a_file_that_failed_is_tried_again_but_not_while_watching(folder, ingest, tmp_path):
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 this is not really a PDF")
    ingest(folder)
    time.sleep(2.1)
    events = []
    report = ingest(folder, retry_failed=True)
    assert [source for source, _ in report.failed] == ["broken.pdf"]
    report = ingest(folder, retry_failed=False, on_progress=events.append)
    assert [source for source, _ in report.failed] == ["broken.pdf"] and report.unchanged == 3
    assert {event.stage for event in events} == {"found", "stored", "failed"}


def test_a_long_document_interrupted_keeps_the_vectors_it_had(folder, ingest, tmp_path, embedder):
    words = "\n\n".join(f"Paragraph {n} of the long book speaks of matter {n * 3}. " * 8 for n in range(1500))
    (folder / "book.txt").write_text(words)

    class Stopping(HashingEmbedder):
        def embed_passages(self, texts):
            if len(self.embedded) > 1000:
                raise KeyboardInterrupt
            return super().embed_passages(texts)

    with pytest.raises(KeyboardInterrupt):
        ingest(folder, embedder=Stopping())
    report = ingest(folder)
    assert len(embedder.embedded) <= report.passages - 1000


def test_a_folder_that_cannot_be_entered_is_not_taken_for_gone(folder, ingest, index, monkeypatch):
    from ingest import sync
    from ingest.walk import SkippedFile

    real = sync.walk

    def closed(root, start):
        items = [item for item in real(root, start) if not item.source.startswith("guide/")]
        return iter([*items, SkippedFile("guide/", "cannot be entered: permission denied", keep=True)])

    monkeypatch.setattr(sync, "walk", closed)
    report = ingest(folder)
    assert report.deleted == 0 and ("guide/", "cannot be entered: permission denied") in report.skipped
    assert "guide/tea.html" in sources(index)


def test_pages_that_wait_for_ocr_are_read_again_once_it_is_there(folder, ingest, index, monkeypatch):
    store = Store(index.folder / FILE)
    store._run("UPDATE documents SET read_with = read_with || ', no OCR' WHERE source = 'bees.md'")
    monkeypatch.setattr("ingest.loaders.pdf_ocr.available", lambda: False)
    assert ingest(folder).unchanged == 3
    monkeypatch.setattr("ingest.loaders.pdf_ocr.available", lambda: True)
    report = ingest(folder)
    assert (report.updated, report.unchanged) == (1, 2)
    assert ingest(folder).unchanged == 3
