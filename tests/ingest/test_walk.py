"""Every entry of a folder is said, and links never lead out of it."""

import json
import os
import shutil
import socket
import sys
from pathlib import Path

import pytest

from ingest.walk import FoundFile, SkippedFile, stamp, walk
from tests.ingest.walking import found, make, skipped


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def test_a_found_file_says_how_it_stood(root):
    make(root, "sub/a.txt")
    (item,) = walk(root)
    path = root / "sub" / "a.txt"
    assert (item.source, item.path, item.size, item.stamp) == ("sub/a.txt", path, 15, stamp(path.stat()))
    assert list(walk(root, path)) == list(walk(root, path.parent)) == [item]
    path.write_text("Other text, 15.")
    assert next(walk(root)).stamp != item.stamp


def test_the_order_is_that_of_the_names_and_files_come_before_folders(root):
    make(root, "b/z.txt", "b/a/x.txt", "a/x.txt", "c.txt", "A.TXT")
    assert found(root) == ["A.TXT", "c.txt", "a/x.txt", "b/z.txt", "b/a/x.txt"]


def test_only_what_is_under_the_start_is_named(root):
    make(root, "a/x.txt", "a/y.txt", "b/x.txt", "x.txt")
    assert found(root, root / "a") == ["a/x.txt", "a/y.txt"]
    assert found(root, root / "a" / "y.txt") == ["a/y.txt"]
    assert found(root, root / "x.txt") == ["x.txt"]


def test_links(root, tmp_path):
    make(root, "real/a.txt", "b.txt")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.txt").write_text("not yours")
    for name, target in {
        "out.txt": tmp_path / "outside/secret.txt",
        "out": tmp_path / "outside",
        "out-to-nothing.txt": tmp_path / "outside/nothing.txt",
        "through.txt": "out/secret.txt",
        "nothing.txt": "real/nothing.txt",
        "loop.txt": "loop.txt",
        "up": ".",
        "folder": "real",
        "same.txt": "real/a.txt",
    }.items():
        (root / name).symlink_to(target)
    assert found(root) == ["b.txt", "same.txt", "real/a.txt"]
    out = "a symbolic link that leads out of the folder"
    folder = "a symbolic link to a folder: what is in that is read where it lies"
    assert skipped(root) == {
        "out.txt": out,
        "out": out,
        "out-to-nothing.txt": out,
        "through.txt": out,
        "nothing.txt": "a symbolic link to nothing",
        "loop.txt": "a symbolic link that leads round in a circle",
        "up/": folder,
        "folder/": folder,
    }


def test_pipes_and_sockets_are_said_and_not_opened(root, monkeypatch):
    os.mkfifo(root / "pipe.txt")
    monkeypatch.chdir(root)  # the path of a socket has to be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.txt")
        assert skipped(root) == {
            "pipe.txt": "not a regular file: a named pipe",
            "socket.txt": "not a regular file: a socket",
        }
        assert skipped(root, root / "pipe.txt") == {"pipe.txt": "not a regular file: a named pipe"}


def test_a_pipe_in_place_of_a_ragignore_is_not_opened(root):
    make(root, "a.txt")
    os.mkfifo(root / ".ragignore")
    assert found(root) == ["a.txt"]
    assert skipped(root) == {".ragignore": "not followed: expected a regular file"}


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="there is no device to name")
def test_devices_are_said():
    assert skipped(Path("/dev"), Path("/dev/null")) == {"null": "not a regular file: a device"}


def test_size_and_kind(root):
    with (root / "large.txt").open("wb") as file:
        file.truncate(257 << 20)
    (root / "picture.RAW").write_bytes(b"x")
    (root / "nosuffix").write_bytes(b"x")
    assert skipped(root) == {
        "large.txt": "too large: 257 MB, the limit is 256 MB",
        "nosuffix": "unsupported kind: no suffix",
        "picture.RAW": "unsupported kind: .raw",
    }


def test_an_index_is_said_and_not_entered(root):
    make(root, "mine/index.sqlite3", "mine/uploads/a.txt", "new/writer.lock", "b.txt")
    assert found(root) == ["b.txt"]
    assert skipped(root) == dict.fromkeys(["mine/", "new/"], "an index of this program")
    assert found(root / "mine" / "uploads") == ["a.txt"]


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_not_utf8_are_said_in_text_that_can_be_stored(root):
    try:
        with open(os.fsencode(root) + b"/caf\xe9.txt", "wb"):
            os.mkdir(os.fsencode(root) + b"/d\xe9")
    except OSError:
        pytest.skip("this file system takes UTF-8 only")
    reasons = skipped(root)
    assert reasons == dict.fromkeys(["caf\\xe9.txt", "d\\xe9/"], "its name is not UTF-8: rename it")
    assert json.loads(json.dumps(reasons).encode()) == reasons


def test_names_with_line_ends_and_other_scripts_are_names(root):
    make(root, "a\nb.txt", "日本語/文書.txt", "-rf.txt", "a b .md")
    assert sorted(found(root)) == sorted(["a\nb.txt", "日本語/文書.txt", "-rf.txt", "a b .md"])


@pytest.mark.skipif(os.name == "nt", reason="paths are limited otherwise there")
def test_a_folder_that_cannot_be_entered_is_said_and_what_is_known_of_it_is_kept(root, monkeypatch):
    make(root, "a.txt")
    monkeypatch.chdir(root)
    for _ in range(25):  # deeper than a path may be long
        os.mkdir("d" * 200)
        os.chdir("d" * 200)
    os.chdir(root)
    *_, last = items = list(walk(root))
    shutil.rmtree("d" * 200)
    assert [item.source for item in items if isinstance(item, FoundFile)] == ["a.txt"]
    assert last.keep and last.reason.startswith("cannot be ") and last.source.startswith("d" * 200)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may enter everything")
def test_permissions(root):
    make(root, "closed/a.txt", "listed/b.txt", "c.txt")
    (root / "closed").chmod(0)
    (root / "listed").chmod(0o400)
    items = {item.source: item for item in walk(root)}
    (root / "closed").chmod(0o700)
    (root / "listed").chmod(0o700)
    assert items.pop("c.txt").size
    assert items == {
        "closed/": SkippedFile("closed/", "cannot be entered: permission denied", keep=True),
        "listed/b.txt": SkippedFile("listed/b.txt", "cannot be reached: permission denied", keep=True),
    }


def test_a_root_that_cannot_be_listed_is_said(tmp_path):
    assert list(walk(tmp_path / "gone")) == [
        SkippedFile("./", "cannot be entered: no such file or directory", keep=True)
    ]


def test_folders_deeper_than_the_recursion_limit(root):
    depth = sys.getrecursionlimit() + 20
    folders = [root / ("d/" * n) for n in range(1, depth + 1)]
    for folder in folders:
        os.mkdir(folder)
    source = "d/" * depth + "a.txt"
    (root / source).write_text("A line of text.")
    try:
        assert found(root) == [source]
    finally:  # shutil.rmtree, which would do it later, calls itself for each folder
        (root / source).unlink()
        for folder in reversed(folders):
            folder.rmdir()
