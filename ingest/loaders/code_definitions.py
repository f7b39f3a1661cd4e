"""Lines of source code in languages with braces that begin a function, a class or a namespace."""

import re
from typing import NamedTuple


class Definition(NamedTuple):
    """What is defined: a word such as "function", and its name.

    `needs_brace` is true where the line is a definition only if a brace follows: `int f(int x)` might be a prototype.
    """

    word: str
    name: str
    needs_brace: bool = False


_MODIFIERS = (
    r"\s*(?:@[\w.]+(?:\([^()]*\))?\s+)*"
    r"(?:(?:export|default|public|private|protected|internal|static|final|abstract|sealed|non-sealed|open|data|inline|"
    r"async|override|virtual|extern|unsafe|pub(?:\([^()]*\))?|const|constexpr|suspend|tailrec|partial|readonly|declare|"
    r"fileprivate|case|implicit|lazy|operator|infix|inner|annotation|value|companion|mutating|indirect|typedef|"
    r"base|mixin|strictfp|synchronized|consteval)\s++)*+"
)
_TYPE = re.compile(
    _MODIFIERS
    + r"(?P<word>class|interface|@interface|trait|struct|enum|union|protocol|extension|object|record|namespace|"
    r"module|mod|package|actor|type)\s++(?:(?:class|struct)\s++)?(?P<name>[A-Za-z_$][\w.:$]*+)"
)
_FUNCTION = re.compile(
    _MODIFIERS + r"(?:function\b\s*+\*?\s*+|(?:fun|func|fn|def|sub|macro_rules!|filter)\s++)"
    r"(?:<[^<>]*>\s*+)?(?P<name>[A-Za-z_$][\w.:$-]*+)"
)
_GO_METHOD = re.compile(r"func\s*+\((?:\w+\s++)?\*?(?P<around>\w++)[^()]*\)\s*+(?P<name>\w++)")
_IMPL = re.compile(r"\s*(?:unsafe\s++)?impl\b(?:\s*<[^{]*?>)?\s++(?:[^{]*?\bfor\s++)?&?(?P<name>[\w:]++)")
_ARROW = re.compile(
    r"\s*(?:export\s++)?(?:default\s++)?(?:const|let|var)\s++(?P<name>[\w$]++)\s*+(?::[^=]{1,100})?=\s*+(?:async\b\s*+)?"
    r"(?:function\b|\([^()]*\)\s*+(?::[^=]{1,100})?=>|[\w$]+\s*=>|\(\s*$)"
)
_ASSIGNED = re.compile(r"\s*(?P<name>[\w.]+)\s*(?:<-|=)\s*function\b")
_SHELL = re.compile(r"\s*(?P<name>[\w.:-]+)\s*\(\)")
_EXTERN_C = re.compile(r'\s*(?:extern\s+"C"|(?:inline\s+)?namespace)\s*(?:\{|$)')
_BEFORE_NAME = re.compile(r"[\w\s:<>,*&\[\]?.~@$]*+")
_OPERATOR = re.compile(r"\boperator\s*[^\s\w]{1,3}$")
_LAST_NAME = re.compile(r"[~\w:$.]++")
_GENERIC = re.compile(r"<[^<>]*>(?=\s*$|::)")
_NOT_A_NAME = frozenset(
    "if for while switch catch return else try do synchronized using lock foreach new throw sizeof typeof delete case "
    "goto assert where when await yield static_assert __attribute__ alignas decltype defined elif endif define".split()
)
_CALLABLES = frozenset(("c", "c++", "java", "c#", "dart"))
_SCRIPTS = frozenset(("javascript", "typescript"))


def definition_at(line: str, language: str, in_class: bool) -> Definition | None:
    """Return what `line` begins to define, None if nothing; `in_class` says whether a class is open around it."""
    if language in ("r", "shell") and (match := (_ASSIGNED if language == "r" else _SHELL).match(line)):
        return Definition("function", match["name"][:80])
    if language == "go" and (match := _GO_METHOD.match(line)):
        return Definition("method", f"{match['around']}.{match['name']}"[:80])
    if language == "rust" and (match := _IMPL.match(line)):
        return Definition("impl", match["name"][:80])
    if language in ("c", "c++") and _EXTERN_C.match(line):
        return Definition("namespace", "")
    if language not in _CALLABLES and (match := _FUNCTION.match(line)):
        return Definition("function", match["name"][:80])
    if match := _TYPE.match(line):
        return _type(match, line, language, in_class)
    if language in _SCRIPTS and (match := _ARROW.match(line)):
        return Definition("function", match["name"][:80])
    if language in _CALLABLES or (in_class and language in _SCRIPTS):
        return _callable(line)
    return None


def _type(match: re.Match[str], line: str, language: str, in_class: bool) -> Definition | None:
    """Return the type that a line defines; in C, `struct point *f(void)` is a function and `struct point p` nothing."""
    word = match["word"].lstrip("@")
    if language in ("c", "c++") and word not in ("namespace", "module"):
        return _callable(line) if "(" in line[match.end() :] else Definition(word, match["name"][:80], needs_brace=True)
    if language in _SCRIPTS and in_class and word in ("type", "object", "record", "package", "module"):
        return _callable(line)
    needs_brace = word in ("object", "record", "package", "module", "mod", "namespace", "enum")
    return Definition(word, match["name"][:80], needs_brace)


def _callable(line: str) -> Definition | None:
    """Return the function that a line may define in the manner of C: words, a name, a parenthesis."""
    head, paren, _ = line.partition("(")
    head = _GENERIC.sub("", head + "()" if head.endswith("operator") else head).rstrip()
    found = _OPERATOR.search(head) or _LAST_NAME.match(head[::-1])
    if not paren or found is None:
        return None
    name = found[0] if found.re is _OPERATOR else found[0][::-1]
    before = head[: len(head) - len(name)]
    if not _BEFORE_NAME.fullmatch(before) or ":" in before.replace("::", "") or name[0].isdigit():
        return None
    if _NOT_A_NAME.intersection((*before.split(), name)):
        return None
    return Definition("function", name[:80], needs_brace=True)
