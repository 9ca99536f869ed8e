"""Beneath the commands nobody writes a sentence into the code: a planner's words are catalogued.

What only a programmer can meet stays where it is raised: failed asserts, `ValueError` and its like
inside functions. So do declarations of columns and settings, which document, and the short codes
that result tables keep in place of words.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

import nts_sim

PACKAGE = Path(nts_sim.__file__).parent
ROOMS = (
    "tables", "spec", "world", "luck", "trace", "decision", "engine", "policies", "planning",
    "outcomes", "study",
)  # fmt: skip
FAMILY = {"NtsError", "InvalidInput", "SomeFailed", "NoAcceptableSolution", "PlaceOrMachine"}
DECLARING = {
    "Column", "Table", "Field", "Metric", "_table", "_valued", "_value", "_text", "_number",
    "_count", "_agency",
}  # fmt: skip
FOR_PROGRAMMERS = {"ValueError", "KeyError", "TypeError", "RuntimeError", "AssertionError"}
CODES = {
    "behind the best", "tied with the best", "not told apart", "the same so far",
    # Of a lost worker, kept in the table `failures`, which is in English whatever is spoken.
    "the process that simulated it ended ", " times without a word",
    "often too little memory; try workers=1",
}  # fmt: skip
PARTS = {"No prevention measure", "Không có biện pháp phòng ngừa"}
"""Texts of a study, written in both languages where they stand."""
_SENTENCE = re.compile(r"[^\W\d_]+,? [^\W\d_]+,? [^\W\d_]+")

Finding = tuple[int, str]


def _name(call: ast.expr | None) -> str:
    function = call.func if isinstance(call, ast.Call) else call
    return ast.unparse(function).rpartition(".")[2] if function is not None else ""


def _texts(node: ast.AST) -> Iterator[ast.Constant]:
    """Texts in an expression, except those that choose or fill in a text of the catalogue."""
    if isinstance(node, ast.Call) and _name(node) in ("say", "name_of", "figure"):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def _family(tree: ast.AST) -> set[str]:
    """Add classes of the module that are of the family, and functions that make one of it."""
    made = {
        node.name for node in ast.walk(tree)
        if (isinstance(node, ast.ClassDef) and {_name(base) for base in node.bases} & FAMILY)
        or (isinstance(node, ast.FunctionDef) and _name(node.returns) in FAMILY)
    }  # fmt: skip
    return FAMILY | made | {"Problem"}


def spoken_to_problems(source: str) -> list[Finding]:
    """Texts with a space that are given to a problem or to an error of the family."""
    tree = ast.parse(source)
    family = _family(tree)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    given = [part for call in calls if _name(call) in family
             for part in (*call.args, *(keyword.value for keyword in call.keywords))]  # fmt: skip
    found = {(text.lineno, str(text.value)) for part in given for text in _texts(part)}
    return sorted((line, text) for line, text in found if " " in text.strip())


def _documents(node: ast.AST) -> bool:
    """Whether all texts in a node are for readers of the code."""
    if isinstance(node, ast.Raise):
        return _name(node.exc) in FOR_PROGRAMMERS
    if isinstance(node, ast.Call):
        return _name(node) in DECLARING
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, ast.Assert)


def sentences(source: str) -> list[Finding]:
    """Texts of three words and more that no exception at the head of this file covers."""
    tree = ast.parse(source)
    inside = {id(part) for node in ast.walk(tree) if _documents(node) for part in ast.walk(node)}
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Constant)
             and isinstance(node.value, str) and id(node) not in inside]  # fmt: skip
    told = sorted((node.lineno, str(node.value)) for node in found)
    return [(line, text) for line, text in told
            if _SENTENCE.search(text) and text not in CODES | PARTS]  # fmt: skip


def _sources() -> list[Path]:
    rooms = (sorted((PACKAGE / room).rglob("*.py")) for room in ROOMS)
    return [PACKAGE / "errors.py", *chain.from_iterable(rooms)]


@pytest.mark.parametrize("check", [spoken_to_problems, sentences])
def test_no_sentence_stands_in_the_code(check) -> None:
    sources = _sources()
    assert len(sources) > 100
    found = {str(path.relative_to(PACKAGE)): check(path.read_text("utf-8")) for path in sources}
    assert {path: texts for path, texts in found.items() if texts} == {}


SNIPPET = '''
def _refuse(where, what) -> InvalidInput:
    """Make an error, as several modules do."""
    return InvalidInput([Problem(where, what)], subject=say("said.subject.tables"))

class Missing(PlaceOrMachine):
    """Of the family."""

def check(path, known):
    if not known:
        raise Missing("not there")
    assert path, "a programmer reads this"
    yield Problem("policy", f"unknown policy {path}")
    what = f"{path} is not one of {known}"
    raise _refuse(path, "no such file")

def fine(path):
    yield Problem("stocks.csv", say("said.tables.blank", meaning="how many units there are"))
    raise ValueError("only a programmer meets this")
'''


def test_the_checks_above_would_notice() -> None:
    """Negative control: literal, formatted, by a function, by a class, by way of a variable."""
    told = [text for _, text in spoken_to_problems(SNIPPET)]
    assert told == ["not there", "unknown policy ", "no such file"]
    long = [text for _, text in sentences(SNIPPET)]
    assert long == [" is not one of ", "no such file", "how many units there are"]
