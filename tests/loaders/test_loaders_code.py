from textwrap import dedent

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.errors import UnreadableFile
from ingest.loaders import code, load
from ingest.loaders.code import CODE_SUFFIXES


def read(checked, name, source):
    """Return where each block stands and its first and last line; every visible line must be in one, at its number."""
    document = checked(load(name, dedent(source).encode()))
    assert all_lines(document) == [line.rstrip() for line in document.text.split("\n") if line.strip()]
    numbers = [place.number for place in document.places]
    assert numbers == [n for n, line in enumerate(document.text.split("\n"), 1) if line.strip()]
    at = {place.start: place for place in document.places}
    found = []
    for block in document.blocks:
        lines = document.text[block.start : block.end].split("\n")
        place = at[document.text.rfind("\n", 0, block.start) + 1]
        found.append((f"{place.inside}{place.kind} {place.number}", lines[0].strip(), lines[-1].strip()))
    return found


def all_lines(document):
    texts = (document.text[block.start : block.end] for block in document.blocks)
    return [line.rstrip() for text in texts for line in text.split("\n") if line.strip()]


def named(found):
    return [place.rpartition(", ")[0] for place, _, _ in found]


def test_python_by_function_with_decorators_comments_and_methods(checked):
    found = read(
        checked,
        "dir/mod.py",
        '''\
        """Doc."""
        import os

        # about f
        @cache
        def f(x):
            """Doc of f.

            def not_a_function():
            """
            return x
            # the end of f

        X = 1

        class A(Base):
            """Doc of A."""

            y = 1

            async def go(self):
                def inner():
                    pass

            z = 2

            class B:
                def deep(self): ...

        if X:
            def conditional(): pass
        ''',
    )
    assert found == [
        ("line 1", '"""Doc."""', "import os"),
        ("function f, line 4", "# about f", "# the end of f"),
        ("line 14", "X = 1", "X = 1"),
        ("class A, line 16", "class A(Base):", "y = 1"),
        ("method A.go, line 21", "async def go(self):", "pass"),
        ("class A, line 25", "z = 2", "z = 2"),
        ("class A.B, line 27", "class B:", "class B:"),
        ("method A.B.deep, line 28", "def deep(self): ...", "def deep(self): ..."),
        ("line 30", "if X:", "def conditional(): pass"),
    ]


def test_title_and_kind(checked):
    document = checked(load("dir/mod.py", b"x = 1\n"))
    assert (document.kind, document.title) == ("code", "mod.py")


def test_python_with_a_syntax_error_is_split_by_indent(checked):
    found = read(
        checked,
        "a.py",
        """\
        def broken(:
            pass

        class A:
            def go(self):
                return 1

            x = 1
        print("x"
        """,
    )
    assert named(found) == ["function broken", "class A", "method A.go", "class A", ""]


@pytest.mark.parametrize("source", ["(" * 5000, "-" * 100_000 + "1", "x = [" * 3000, "lambda: " * 50_000, "a\0b = 1"])
def test_python_that_breaks_its_parser_is_text_all_the_same(source, checked):
    read(checked, "a.py", source)


def test_java(checked):
    found = read(
        checked,
        "A.java",
        """\
        package com.example;

        /** A parser. Don't use { here. */
        @Deprecated(since = "1")
        public class Parser<T extends Foo> implements Bar {
            private static final Map<String, Integer> M = new HashMap<>() {{ put("{", 1); }};

            @Override
            public List<String> parse(String text,
                                      int depth)
                    throws IOException {
                char c = '{';
                if (depth > 1
                        && c == '}') {
                    foo();
                }
                return null;
            }

            int y = 5;

            enum Colour { RED, GREEN }
        }
        """,
    )
    assert named(found) == ["", "class Parser", "method Parser.parse", "class Parser", "enum Colour"]
    assert found[2][1:] == ("@Override", "}")


def test_c_with_prototypes_preprocessor_and_types_on_their_own_line(checked):
    found = read(
        checked,
        "a.c",
        """\
        #include <stdio.h>
        struct point { int x; };

        struct point *make(int x);

        /* Make a point. */
        struct point *
        make(int x)
        {
        #ifdef FOO
            if (x) {
        #else
            if (!x) {
        #endif
                return 0;
            }
        }

        int main(int argc, char **argv) {
            printf("}\\n");
        out:
            return 0;
        }
        static int table[] = { 1, 2 };
        """,
    )
    assert named(found) == ["", "struct point", "", "function make", "function main", ""]
    assert found[3][1:] == ("/* Make a point. */", "}")


def test_cpp_in_namespaces_without_indent(checked):
    found = read(
        checked,
        "a.cpp",
        """\
        namespace a {

        template <typename T>
        class Foo : public Bar<T> {
        public:
            Foo(int x) : x_(x), y_{3} {}
            bool operator==(const Foo& o) const {
                return true;
            }
        };

        template <typename T>
        int Foo<T>::bar(int q)
        {
            auto l = [&](int z) { return 1'000; };
        }

        }  // namespace a
        """,
    )
    assert named(found) == ["namespace a", "class Foo", "method Foo.Foo", "method Foo.operator==", "function Foo::bar"]


def test_typescript(checked):
    found = read(
        checked,
        "a.ts",
        """\
        import { x } from "./x";

        export interface Options {
          run(a: number): void;
        }

        const RE = /[{'"`]/g;

        export const add = (a: number, b: number): number => {
          return a + b;
        };

        /** Doc. */
        @Component({ selector: 'app' })
        export default class App extends Base {
          constructor(private readonly http: Http) {
            super();
          }

          async load<T>(id: Id): Promise<T> {
            if (id) {
              return `x ${id} {
              }`;
            }
          }
        }

        describe("thing", () => {
          it("works", () => {});
        });
        """,
    )
    assert named(found) == [
        "", "interface Options", "", "function add", "class App", "method App.constructor", "method App.load", "",
    ]  # fmt: skip


def test_go_rust_kotlin_and_shell(checked):
    go = (
        "package main\n\n// Run runs.\nfunc (s *Server) Run() error {\n\tx := `raw {`\n}\n\nfunc Map[T any](x T) {\n}\n"
    )
    assert named(read(checked, "a.go", go)) == ["", "method Server.Run", "function Map"]
    rust = "impl<'a> Show for Thing<'a> {\n    fn fmt(&self) {\n        let c = '{';\n    }\n}\n\npub fn run() {}\n"
    assert named(read(checked, "a.rs", rust)) == ["impl Thing", "method Thing.fmt", "function run"]
    kotlin = "fun add(a: Int) = a\n\nclass Foo(\n    val a: Int,\n) : Bar() {\n    override fun go() {\n    }\n}\n"
    assert named(read(checked, "a.kt", kotlin)) == ["function add", "class Foo", "method Foo.go"]
    shell = 'set -e\n# usage {\nusage() {\n  echo "it\'s ${0##*/} {a|b}"\n}\n\nfunction main {\n  ls\n}\nmain\n'
    assert named(read(checked, "a.sh", shell)) == ["", "function usage", "function main", ""]


def test_plain_functions_of_scripts(checked):
    js = "const a = 1;\n\nfunction one(x) {\n  return x;\n}\n\nexport async function* two() {\n}\none(1);\n"
    assert named(read(checked, "a.js", js)) == ["", "function one", "function two", ""]
    php = "<?php\n// don't {\nfunction one($x) {\n}\nclass A {\n    public function two() {\n    }\n}\n"
    assert named(read(checked, "a.php", php)) == ["", "function one", "class A", "method A.two"]
    assert named(read(checked, "a.r", "x <- 1\n\nf <- function(a) {\n  a\n}\n")) == ["", "function f"]


def test_ruby_lua_yaml_toml_and_sql(checked):
    ruby = "module Foo\n  class Bar\n    def self.make\n      new\n    end\n\n    X = 1\n  end\nend\nputs 1\n"
    assert named(read(checked, "a.rb", ruby)) == ["module Foo", "class Bar", "method Bar.self.make", "class Bar", ""]
    lua = "local M = {}\n\n-- adds\nfunction M.add(a)\n  return a\nend\n\nM.mul = function(a)\nend\n\nreturn M\n"
    assert named(read(checked, "a.lua", lua)) == ["", "function M.add", "function M.mul", ""]
    yaml = "version: 1\n\nservices:\n  web:\n    image: x\n\n  db:\n    image: y\nvolumes:\n- a\nname: foo\n"
    assert named(read(checked, "a.yaml", yaml)) == ["", "key services", "key volumes", ""]
    toml = "a = 1\n\n# about it\n[tool.x]\nb = 2\n\nc = 3\n[[tool.y]]\nd = 4\n"
    assert named(read(checked, "a.toml", toml)) == ["", "section tool.x", "section tool.y"]
    sql = "CREATE TABLE IF NOT EXISTS a (\n  id int\n);\n\nINSERT INTO a VALUES (1);\n\ncreate view v as select 1;\n"
    assert named(read(checked, "a.sql", sql)) == ["table a", "", "view v"]


def test_what_has_no_definitions_is_split_at_blank_lines(checked):
    assert read(checked, "a.css", ".a { }\n.b { }\n\n.c {\n  x: y;\n}\n") == [
        ("line 1", ".a { }", ".b { }"),
        ("line 4", ".c {", "}"),
    ]


def test_a_minified_file_is_read_in_linear_time(checked):
    one = 'function a(b){var c={d:"e",f:[1,2]};return c.map((x)=>{return x+1})};'
    assert len(read(checked, "a.js", one * 10_000)) == 1
    read(checked, "a.js", "(" * 200_000 + "}" * 200_000)
    read(checked, "a.js", "/*/" * 200_000)
    read(checked, "a.js", "`\\`" * 200_000)


def test_binary_data_is_refused():
    with pytest.raises(UnreadableFile):
        load("a.ts", bytes(range(256)) * 40)


def test_suffixes_are_in_lower_case_and_known():
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in CODE_SUFFIXES)


PARTS = st.sampled_from(
    "def f():|class A:|class A {|int f(int a) {|}|{|(|)|;|'|\"|`|/*|*/|//|#|    x|\tx|end|x = 1|key:|[s]|@a|fn f() {|"
    "CREATE TABLE t|```|\\|é 漢|\u2028|\x0c|namespace n {|const f = () => {".split("|")
)
SOURCES = st.lists(st.tuples(st.sampled_from(["", " ", "    ", "\n"]), PARTS).map("".join), max_size=40).map("\n".join)


@given(suffix=st.sampled_from(sorted(CODE_SUFFIXES)), source=SOURCES)
@settings(max_examples=400, deadline=None)
def test_no_visible_line_is_lost_whatever_the_language(suffix, source):
    document = code.load(f"a{suffix}", source.encode())
    lines = [line.rstrip() for line in document.text.split("\n") if line.strip()]
    assert all_lines(document) == lines
    assert len(document.places) == len(lines)
