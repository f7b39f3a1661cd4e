"""Which files and folders are passed over by their names: `.ragignore` files, and some names by default.

A `.ragignore` has the syntax of gitignore and holds for its folder and everything below. A deeper file beats one
above it, a later line an earlier one, and any line beats the defaults, so `!node_modules/` takes that folder back
in. As in git, nothing is taken back in below a folder that is itself ignored. `.gitignore` files are not looked at:
documents are often kept out of version control.

Other than in git, upper and lower case differ on every system, a line with a class such as `[[:alpha:]]` is refused,
and so is one with more stars than `MAX_STARS`, which would take too long on some names.
"""

import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import translate
from pathlib import Path

from pathspec import GitIgnoreSpec, Pattern

NAME = ".ragignore"
MAX_BYTES = 64 * 1024
MAX_STARS = 4
"""Stars within one part of a path, and parts `**` in one line."""

FOLDERS = {
    **dict.fromkeys((".git", ".hg", ".svn", ".bzr", "CVS"), "version control"),
    **dict.fromkeys(("node_modules", ".venv", "venv", ".tox", ".nox", "site-packages"), "installed packages"),
    **dict.fromkeys(("__pycache__", ".cache", ".mypy_cache", ".pytest_cache", ".ruff_cache"), "a cache"),
    **dict.fromkeys((".ipynb_checkpoints", ".idea", ".vscode"), "files of an editor"),
    **dict.fromkeys(("$RECYCLE.BIN", ".Trash", ".Trashes"), "a waste bin"),
    **dict.fromkeys(("__MACOSX", ".fseventsd", ".Spotlight-V100", "System Volume Information"), "system files"),
    ".rag-dolly": "an index of this program",
}
"""Name of a folder that is not entered by default -> what it is."""

_LOCKS = ("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock")
_MORE_LOCKS = ("poetry.lock", "uv.lock", "Pipfile.lock", "Cargo.lock", "composer.lock", "Gemfile.lock")
FILES = {
    NAME: "rules for this program",
    **dict.fromkeys((".DS_Store", "._*", "Thumbs.db", "desktop.ini"), "a system file"),
    **dict.fromkeys(("~$*", ".~lock.*#"), "the mark of a document that is open"),
    **dict.fromkeys(("*.tmp", "*.part", "*.crdownload", "*.swp", "*.swo"), "an unfinished or temporary file"),
    **dict.fromkeys((*_LOCKS, *_MORE_LOCKS), "a list of package versions"),
}
"""Name of a file that is not read by default, where `*` stands for anything, case ignored -> what it is."""

_FILES = re.compile("|".join(f"({translate(glob)})" for glob in FILES), re.IGNORECASE)
_WHATS = tuple(FILES.values())


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a `.ragignore`. `base` is the source of its folder, "" or ending in "/"."""

    base: str
    pattern: Pattern
    is_negated: bool
    is_for_folders: bool
    is_anchored: bool
    reason: str

    def matches(self, source: str, is_folder: bool) -> bool:
        """Whether the line names this very entry (not a folder above it, which was asked about before)."""
        if self.is_for_folders and not is_folder:
            return False
        name = source[len(self.base) :] if self.is_anchored else source.rpartition("/")[2]
        found = self.pattern.match_file(name)
        return found is not None and found.match.groupdict().get("ps_d") is None  # ps_d: "/" after a folder above


Rules = tuple[Rule, ...]


def reason_to_ignore(source: str, is_folder: bool, rules: Sequence[Rule]) -> str:
    """Return why an entry is ignored, "" if it is not.

    `source` has no "/" at its end; `rules` are those of all folders above it, from the root down.
    """
    for rule in reversed(rules):
        if rule.matches(source, is_folder):
            return "" if rule.is_negated else rule.reason
    what = _default(source.rpartition("/")[2], is_folder)
    return f"ignored by default: {what}" if what else ""


def read_rules(folder: Path, base: str) -> tuple[Rules, str]:
    """Return the rules in the folder's `.ragignore`, and in one line what of it is not followed ("" if all is).

    A file that cannot be read has no rules. A link is not followed: what lies elsewhere is not to be shown here.
    """
    path = folder / NAME
    try:
        if path.is_symlink() or not path.is_file():
            return (), "not followed: expected a regular file"
        if path.stat().st_size > MAX_BYTES:
            return (), f"not followed: larger than {MAX_BYTES // 1024} KB"
        data = path.read_bytes()
    except OSError as error:
        return (), f"not followed: {(error.strerror or str(error)).lower()}"
    if b"\0" in data:
        return (), "not followed: expected text in UTF-8, save it as that"
    return parse(data, base)


def parse(data: bytes, base: str) -> tuple[Rules, str]:
    """Return the rules in the bytes of a `.ragignore` whose folder has the source `base`, and what is wrong."""
    rules: list[Rule] = []
    wrong: list[str] = []
    for number, raw in enumerate(data.decode("utf-8-sig", "surrogateescape").split("\n"), 1):
        line = _without_spaces(raw.removesuffix("\r"))
        if not line or line.startswith("#"):
            continue
        problem = _problem(line)
        rule = None if problem else _rule(line, base, f"ignored by {base}{NAME} line {number}: {line[:80]}")
        if rule:
            rules.append(rule)
        else:
            wrong.append(f"line {number} {problem or 'is not a pattern: ' + line[:80]}")
    more = f" and {len(wrong) - 3} more lines" if len(wrong) > 3 else ""
    return tuple(rules), "not followed: " + "; ".join(wrong[:3]) + more if wrong else ""


def _rule(line: str, base: str, reason: str) -> Rule | None:
    body = line.removeprefix("!")
    is_for_folders = body.endswith("/")
    body = body.removesuffix("/")
    is_negated = line.startswith("!")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # about "[[" in the regular expression
            pattern = GitIgnoreSpec.from_lines(["!" * is_negated + body]).patterns[0]
    except (ValueError, re.error, IndexError):
        return None
    if pattern.include is None:
        return None
    return Rule(base, pattern, is_negated, is_for_folders, "/" in body, reason)


def _problem(line: str) -> str:
    """Return what keeps a line from being given to pathspec, "" if nothing does."""
    if any("\ud800" <= char <= "\udfff" for char in line):
        return "is not UTF-8"
    if "[:" in line:
        return f"has a class of characters, which is not supported: {line[:80]}"
    parts = line.split("/")
    if parts.count("**") > MAX_STARS or any(len(re.findall(r"\*+", part)) > MAX_STARS for part in parts):
        return f"has more than {MAX_STARS} stars: {line[:80]}"
    return ""


def _without_spaces(line: str) -> str:
    """Return the line without spaces at its end, but for one that a backslash protects."""
    bare = line.rstrip(" ")
    is_protected = (len(bare) - len(bare.rstrip("\\"))) % 2 == 1
    return bare + " " if is_protected and len(bare) < len(line) else bare


def _default(name: str, is_folder: bool) -> str:
    if is_folder:
        return FOLDERS.get(name, "")
    found = _FILES.match(name)
    return _WHATS[(found.lastindex or 1) - 1] if found else ""
