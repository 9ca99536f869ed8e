"""Nothing that a person reads stands in the code of the command line: it is in the catalogue."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import nts_sim
from nts_sim import errors

CLI = Path(nts_sim.__file__).parent / "cli"
TOLD = {
    "print", "announce", "told_if_slow", "alive", "aligned", "Problem", "set_postfix_str", "tqdm",
    *(name for name, thing in vars(errors).items()
      if isinstance(thing, type) and issubclass(thing, errors.NtsError)),
}  # fmt: skip
"""Whatever is given to these is read by a person."""
NOT_READ = frozenset({"say", "name_of", "figure", "query", "compile", "fullmatch", "match", "sub"})
"""What is given to these is a key, a format or a pattern."""
NOT_TEXT = frozenset({"sep", "end", "file"})


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)


def _literals(node: ast.AST) -> Iterator[str]:
    """Give the texts written out in an expression, but for keys of the catalogue and formats."""
    if isinstance(node, ast.Call) and _name(node) in NOT_READ:
        return
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            yield node.value
    elif isinstance(node, ast.FormattedValue):
        yield from _literals(node.value)
    else:
        for child in ast.iter_child_nodes(node):
            yield from _literals(child)


def _is_sentence(text: str) -> bool:
    """Whether a text has two words; columns of blanks and signs are no words."""
    return sum(any(letter.isalpha() for letter in word) for word in text.split()) > 1


def sentences(source: str) -> list[str]:
    """List the sentences written out in code that are told, raised, returned or yielded."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _name(node) in TOLD:
            arguments = [*node.args, *(k.value for k in node.keywords if k.arg not in NOT_TEXT)]
        elif isinstance(node, ast.Return | ast.Yield | ast.Assign) and node.value is not None:
            arguments = [node.value]
        else:
            continue
        found += [text for value in arguments for text in _literals(value) if _is_sentence(text)]
    return found


ALLOWED = {
    "one policy",
    "a baseline",  # how many policies a verb wants
    "data find",  # the language of commands
    "no locator available",  # how Numba's own message is known
    "nts-sim VERB [flags] [group=option …] [key=value …]",
    "nts-sim compare experiment=typhoon_north",
    'eval "$(nts-sim -sc install=bash)"',
}


@pytest.mark.parametrize("path", sorted(CLI.rglob("*.py")), ids=lambda path: path.stem)
def test_no_sentence_is_written_out(path: Path) -> None:
    found = set(sentences(path.read_text("utf-8"))) - ALLOWED
    assert {text for text in found if not text.startswith("nts-sim ")} == set()


@pytest.mark.parametrize("line", [
    "print('nothing was found')",
    "print(f'{n} runs failed', file=sys.stderr)",
    "announce('still at work', flags)",
    "raise InvalidInput([Problem(where, f'{given!r} is not a number')])",
    "raise PlaceOrMachine('no place left')",
    "problems.append(Problem('the sweep', what))",
    "what = 'has no cells'; yield Problem(where, what)",
    "return f'{cells} cells and more'",
])  # fmt: skip
def test_the_check_sees_what_it_is_for(line: str) -> None:
    assert sentences(line)


@pytest.mark.parametrize("line", [
    "print(say('cli.sweep.nothing'))",
    "print(f'  {name:<{width}}  {line}')",
    "announce(say('cli.work.engine', engine=chosen, count=say('cli.x')), flags)",
    "raise InvalidInput([Problem('tables_dir', say('cli.x'))], say('cli.subject.run'))",
])  # fmt: skip
def test_the_check_lets_through_what_comes_from_the_catalogue(line: str) -> None:
    assert sentences(line) == []
