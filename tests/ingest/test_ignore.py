"""`.ragignore` means what git makes of it, and what is ignored by default can be taken back."""

import shutil
import subprocess
from pathlib import Path

import pytest

from ingest.ignore import FILES, FOLDERS, MAX_BYTES
from ingest.walk import walk
from tests.ingest.walking import found, make, skipped


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "root"
    folder.mkdir()
    return folder


def test_an_ignored_folder_is_said_once_and_not_entered(root):
    make(
        root, "node_modules/a/readme.md", "node_modules/b/readme.md", "sub/.git/config.txt", "keep.txt", ".hidden/a.txt"
    )
    assert found(root) == ["keep.txt", ".hidden/a.txt"]
    assert skipped(root) == {
        "node_modules/": "ignored by default: installed packages",
        "sub/.git/": "ignored by default: version control",
    }


@pytest.mark.parametrize("name", [*(name + "/" for name in FOLDERS), *FILES])
def test_each_default_can_be_taken_back(root, name):
    entry = name.replace("*", "x")
    make(root, entry + "inside.txt" if name.endswith("/") else entry)
    assert skipped(root)[entry].startswith("ignored by default: ")
    make(root, ".ragignore")
    pattern = name.replace("*", "[x]") if name != ".ragignore" else name
    (root / ".ragignore").write_text("!" + pattern)
    assert not skipped(root).get(entry, "").startswith("ignored by default")


def test_system_files_are_told_whatever_their_case(root):
    make(root, "THUMBS.DB", "~$Report.DOCX", "._scan.pdf")
    assert all(reason.startswith("ignored by default") for reason in skipped(root).values())
    assert len(skipped(root)) == 3


def test_the_line_that_ignores_is_said(root):
    make(root, "drafts/a.txt", "sub/b.txt", "sub/c.txt")
    (root / ".ragignore").write_bytes("\ufeff# not ready\r\n\r\ndrafts/  \r\n".encode())
    (root / "sub/.ragignore").write_text("b.*\n")
    assert found(root) == ["sub/c.txt"]
    reasons = skipped(root)
    assert reasons["drafts/"] == "ignored by .ragignore line 3: drafts/"
    assert reasons["sub/b.txt"] == "ignored by sub/.ragignore line 1: b.*"
    assert reasons[".ragignore"] == "ignored by default: rules for this program"


def test_rules_above_the_start_hold(root):
    make(root, "a/b/x.txt", "a/b/y.txt", "a/drafts/x.txt", "a/drafts/deep/x.txt")
    (root / ".ragignore").write_text("drafts/\n")
    (root / "a/.ragignore").write_text("y.txt\n")
    assert found(root, root / "a" / "b") == ["a/b/x.txt"]
    assert found(root, root / "a" / "b" / "y.txt") == []
    assert skipped(root, root / "a" / "drafts" / "deep" / "x.txt") == {
        "a/drafts/": "ignored by .ragignore line 1: drafts/"
    }


def test_gitignore_is_not_looked_at(root):
    make(root, "a.txt")
    (root / ".gitignore").write_text("*.txt")
    assert found(root) == ["a.txt"]


TREE = """
a.txt b.md #x.txt !x.txt sp.txt docs/a.txt docs/b.md docs/x/a.txt docs/x/b.md docs/x/y/b.md docs/docs/a.txt
src/a.txt src/b.md src/docs/a.txt src/docs/b.md build/a.txt build/build.txt src/build/a.txt
file1.txt file2.txt fileA.txt
""".split()
RULES = [
    {"": "*.md"},
    {"": "*\n!*.md"},
    {"": "*\n!*/\n!*.md"},
    {"": "docs/**\n!docs/**/\n!docs/**/*.md"},
    {"": "docs/**/*\n!docs/**/\n!*.md"},
    {"": "docs/*\n!docs/x/"},
    {"": "docs\n!docs/b.md"},
    {"": "docs/\n!docs"},
    {"": "/docs/"},
    {"": "/build\n!build"},
    {"": "build/"},
    {"": "**/build"},
    {"": "**/docs/a.txt"},
    {"": "docs/**/b.md"},
    {"": "docs/a.txt/"},
    {"": "src/docs"},
    {"": "*/\n!src/"},
    {"": "**"},
    {"": "**/"},
    {"": "file[0-9].txt\n!file2.txt"},
    {"": "file[!0-9].*\nfile?.md"},
    {"": "file[12"},
    {"": "\\#x.txt\n\\!x.txt\nsp.txt   "},
    {"": "#x.txt\n!x.txt\n\\ "},
    {"": "A.TXT"},
    {"": "/"},
    {"": "!a.txt"},
    {"": "*.txt", "docs": "!a.txt"},
    {"": "!*.txt", "docs": "*.txt\n!/x/a.txt"},
    {"": "docs/a.txt", "docs": "!a.txt", "docs/x": "*"},
    {"": "*.md", "docs": "!/b.md", "docs/x": "!y/b.md"},
    {"docs/x": "/b.md", "src": "docs/a.txt\nbuild"},
]


@pytest.mark.skipif(not shutil.which("git"), reason="git is what it is compared with")
@pytest.mark.parametrize("rules", RULES, ids=str)
def test_rules_mean_what_git_makes_of_them(root, rules):
    make(root, *TREE)
    for folder, text in rules.items():
        (root / folder / ".ragignore").write_text(text)
    subprocess.run(["git", "init", "--quiet", root], check=True)
    listing = ["git", "ls-files", "-z", "--others", "--exclude-per-directory=.ragignore"]
    listed = subprocess.run(listing, cwd=root, check=True, capture_output=True, text=True).stdout.split("\0")
    assert sorted(found(root)) == sorted(name for name in listed if name.endswith((".txt", ".md")))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"ok.md\n[a\n", "line 2 is not a pattern: [a"),
        (b"[z-a]", "line 1 is not a pattern: [z-a]"),
        (b"end\\", "line 1 is not a pattern: end\\"),
        (b"caf\xe9.txt\nok.md", "line 1 is not UTF-8"),
        (b"[[:alpha:]].txt", "line 1 has a class of characters"),
        (b"*a*a*a*a*a*a*a*a*b", "line 1 has more than 4 stars"),
        (b"[\n" * 5, "and 2 more lines"),
        ("drafts/".encode("utf-16"), "not followed: expected text in UTF-8"),
        (b"x" * (MAX_BYTES + 1), "not followed: larger than 64 KB"),
    ],
)
def test_what_of_a_ragignore_is_not_followed_is_said_once_and_the_rest_holds(root, data, says):
    make(root, "a.txt", "ok.md")
    (root / ".ragignore").write_bytes(data)
    items = [item for item in walk(root) if item.source == ".ragignore"]
    assert len(items) == 1 and says in items[0].reason and "\n" not in items[0].reason
    assert found(root) == ["a.txt"] + ["ok.md"] * (b"ok.md" not in data)


def test_rules_are_not_read_through_a_link(root, tmp_path):
    (tmp_path / "outside").write_text("secret.txt")
    make(root, "secret.txt")
    (root / ".ragignore").symlink_to(tmp_path / "outside")
    assert found(root) == ["secret.txt"]
    assert skipped(root)[".ragignore"] == "a symbolic link that leads out of the folder"


def test_a_folder_in_place_of_a_ragignore_does_no_harm(root):
    make(root, ".ragignore/a.txt", "b.txt")
    assert "b.txt" in found(root)
    assert skipped(root)[".ragignore/"] == "not followed: expected a regular file"


def test_every_default_is_documented():
    page = (Path(__file__).parents[2] / "docs" / "ingest.md").read_text(encoding="utf-8")
    assert [name for name in (*FOLDERS, *FILES) if f"`{name}`" not in page] == []
