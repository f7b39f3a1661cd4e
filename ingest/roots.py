"""Which ingested folder a path belongs to, and what its files are called in the index.

A source is the path relative to the folder that was ingested. A path inside a folder that is already in the
index is a part of that folder; a further folder gets its own name before its sources, so that two `readme.md`
stay apart.
"""

from dataclasses import dataclass
from pathlib import Path

from ingest.errors import NothingToIngest
from ingest.store import Store


@dataclass(frozen=True, slots=True)
class Scope:
    """One path to bring up to date: `start` (a folder or a file) lies in `root`."""

    root: Path
    start: Path
    prefix: str

    def source(self, relative: str) -> str:
        """Return the name in the index of a file called `relative` within the root."""
        return self.prefix + relative

    def covers(self, source: str) -> bool:
        """Whether a source of this root lies under `start`."""
        below = self.start.relative_to(self.root).as_posix()
        relative = source.removeprefix(self.prefix)
        return below == "." or relative == below or relative.startswith(below + "/")


def find_scope(path: Path, known: list[tuple[Path, str]], index_dir: Path) -> Scope:
    """Return the scope for a path, given the (root, prefix) pairs already in the index.

    What lies in the index folder (uploads) is a root of its own, whatever folder the index itself lies in.
    Raises `NothingToIngest` if the path does not exist.
    """
    try:
        exists = path.exists()
    except OSError as error:
        raise NothingToIngest(f"{path} cannot be looked at: {error.strerror or error}.") from error
    if not exists:
        raise NothingToIngest(f"No such file or folder: {path}. Give a path that exists.")
    start = path.resolve()
    for root, prefix in known:
        if _holds(root, start, index_dir.resolve()):
            return Scope(root, start, prefix)
    root = start if start.is_dir() else start.parent
    others = [prefix for other, prefix in known if not _holds(root, other, index_dir.resolve())]
    return Scope(root, start, _free_prefix(root.name, others))


def known_roots(store: Store, index_dir: Path) -> list[tuple[Path, str]]:
    """Return (root, prefix) of the folders in the index; paths inside the index folder move with it."""
    return [((index_dir / path).resolve(), prefix) for _, path, prefix in store.roots()]


def root_id(store: Store, index_dir: Path, scope: Scope) -> int:
    """Return the id under which the store knows the scope's root, adding it if it is new."""
    for key, path, _ in store.roots():
        if (index_dir / path).resolve() == scope.root:
            return key
    home = index_dir.resolve()
    stored = scope.root.relative_to(home) if scope.root.is_relative_to(home) else scope.root
    return store.add_root(stored.as_posix(), scope.prefix)


def drop_absorbed(store: Store, index_dir: Path) -> None:
    """Forget folders that lie in another folder of the index: their files are in it under the other's name."""
    roots = [(key, (index_dir / path).resolve()) for key, path, _ in store.roots()]
    for key, inner in roots:
        if any(inner != outer and _holds(outer, inner, index_dir.resolve()) for _, outer in roots):
            store.drop_root(key)


def _holds(root: Path, path: Path, index_dir: Path) -> bool:
    """Whether a root's files include this path: it lies below, and not in the index folder unless the root does."""
    return path.is_relative_to(root) and (path.is_relative_to(index_dir) <= root.is_relative_to(index_dir))


def _free_prefix(name: str, taken: list[str]) -> str:
    """Return "" for the first root, else "name/", with a number if that is taken."""
    if not taken:
        return ""
    candidates = [f"{name}/", *(f"{name}-{n}/" for n in range(2, len(taken) + 3))]
    return next(prefix for prefix in candidates if prefix not in taken)
