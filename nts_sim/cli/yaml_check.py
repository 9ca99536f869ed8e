"""Read a planner's YAML file as data, before Hydra may see it.

Hydra runs code that a configuration names (log handlers, callbacks, output folders), and YAML
itself can grow without bound or read ``no`` as false. So a file is first read as a stream of
events with limits, then as a small tree whose keys and values are checked one by one. Nothing is
constructed from it here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from nts_sim.errors import Problem
from nts_sim.spec.load import suggestion
from nts_sim.words import say

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 20_000
MAX_INTERPOLATIONS = 16
"""Few, because references to references multiply: 16 make at most some hundred copies."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_FORBIDDEN_KEYS = {"_target_", "_partial_", "_convert_", "_recursive_", "_args_", "()", "class"}
_HYDRA_KEY = re.compile(r"^\+*~?/?hydra($|[./@])")
_HEADER = re.compile(r"^\s*#\s*@\s*(\S+)\s*(.*?)\s*$")
_PACKAGE = re.compile(r"^(_global_|_group_|policies\.[a-z][a-z0-9_]*)$")
_RELATIVE_KEY = re.compile(r"\$\{\.+[A-Za-z_]\w*(\.\w+)*\}")
_PLAIN_NAME = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9_-]*$")
_COMMAND_LINE_ONLY = {
    "results_dir": "cli.yaml_check.results_dir",
    "language": "cli.yaml_check.language",
}
"""Keys that are no part of a study, with the key of the sentence that says where they go."""
_YES_NO = {"yes", "no", "on", "off", "y", "n"}


@dataclass(frozen=True)
class UserFile:
    """One checked file: where its keys stand, and which package they land in."""

    path: Path
    group: str
    package: str
    lines: Mapping[str, int]

    def origin(self) -> dict[str, str]:
        """Say for each dotted key of the composed configuration where it was written."""
        prefix = f"{self.package}." if self.package else ""
        return {f"{prefix}{key}": _at_line(self.path, line) for key, line in self.lines.items()}


def _at_line(path: Path, number: int) -> str:
    return say("cli.where.line", file=path, line=number)


def _line_of(path: Path, node: yaml.Node) -> str:
    return _at_line(path, node.start_mark.line + 1)


@dataclass(frozen=True)
class Known:
    """The options of each group, shipped and the planner's own; for names in defaults lists."""

    options: Mapping[str, tuple[str, ...]]


def read_user_file(path: Path, root: Path, known: Known) -> tuple[UserFile | None, list[Problem]]:
    """Check one YAML file below `root`; return it with its problems (none: it may be used)."""
    text, problems = _text(path)
    if text is None:
        return None, problems
    problems = _stream_problems(path, text)
    if problems:
        return None, problems
    group = "/".join(path.relative_to(root).parts[:-1])
    package, problems = _package(path, text, group)
    try:
        tree = yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        return None, [_syntax(path, error)]
    if tree is None:
        return UserFile(path, group, package, {}), problems
    if not isinstance(tree, yaml.MappingNode):
        return None, [Problem(str(path), say("cli.yaml_check.no_table"))]
    problems += _node_problems(path, tree, known)
    lines = {key: node.start_mark.line + 1 for key, node in _keys(tree) if key != "defaults"}
    return UserFile(path, group, package, lines), problems


def _text(path: Path) -> tuple[str | None, list[Problem]]:
    """Read the file's text, within its limit of bytes."""
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        what = say("cli.file.unreadable", reason=error.strerror)
        return None, [Problem(str(path), what)]
    if len(raw) > MAX_BYTES:
        return None, [Problem(str(path), say("cli.yaml_check.too_large"))]
    try:
        return raw.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return None, [Problem(str(path), say("cli.yaml_check.no_utf8"))]


def _syntax(path: Path, error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None)
    where = _at_line(path, mark.line + 1) if mark else str(path)
    reason = getattr(error, "problem", None) or str(error).splitlines()[0]
    return Problem(where, say("cli.yaml_check.no_yaml", reason=reason))


def _stream_problems(path: Path, text: str) -> list[Problem]:
    """Refuse what must not even become a tree: aliases, tags, depth, size, several documents."""
    depth = nodes = documents = 0
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            where = _at_line(path, event.start_mark.line + 1)
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            nodes += isinstance(event, yaml.NodeEvent)
            documents += isinstance(event, yaml.DocumentStartEvent)
            refused = _event_refusal(event) or _over_limit(depth, nodes, documents)
            if refused:
                return [Problem(where, refused)]
    except yaml.YAMLError as error:
        return [_syntax(path, error)]
    except ValueError as error:  # a character or an escape that Unicode does not have
        return [Problem(str(path), say("cli.yaml_check.no_yaml", reason=error))]
    return []


def _event_refusal(event: yaml.Event) -> str | None:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return say("cli.yaml_check.alias")
    tag = getattr(event, "tag", None)
    if tag is not None and isinstance(event, yaml.NodeEvent):
        return say("cli.yaml_check.tag", tag=repr(tag))
    return None


def _over_limit(depth: int, nodes: int, documents: int) -> str | None:
    if depth > MAX_DEPTH:
        return say("cli.yaml_check.depth", most=MAX_DEPTH)
    if nodes > MAX_NODES:
        return say("cli.yaml_check.nodes", most=MAX_NODES)
    return say("cli.yaml_check.documents") if documents > 1 else None


def _package(path: Path, text: str, group: str) -> tuple[str, list[Problem]]:
    """Read where the file's keys land: its group, or what its ``# @package`` line says."""
    package = group.replace("/", ".")
    problems = []
    for number, line in enumerate(text.splitlines(), start=1):
        header = _HEADER.match(line)
        if not header:
            continue
        if header[1] != "package" or not _PACKAGE.match(header[2]):
            what = say("cli.yaml_check.package", given=f"'# @{header[1]} {header[2]}'")
            problems.append(Problem(_at_line(path, number), what))
        elif header[2] != "_group_":
            package = "" if header[2] == "_global_" else header[2]
    return package, problems


def _keys(node: yaml.Node, prefix: str = "") -> Iterator[tuple[str, yaml.Node]]:
    """Walk every key of a tree with its dotted name."""
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        if isinstance(key, yaml.ScalarNode):
            dotted = f"{prefix}{key.value}"
            yield dotted, key
            yield from _keys(value, f"{dotted}.")


def _node_problems(path: Path, tree: yaml.MappingNode, known: Known) -> list[Problem]:
    problems = []
    references = 0
    for node, is_key in _walk(tree):
        refused = _key_refusal(node) if is_key else _value_refusal(node)
        if refused:
            problems.append(Problem(_line_of(path, node), refused))
        references += isinstance(node, yaml.ScalarNode) and "${" in node.value
    problems += _duplicates(path, tree)
    problems += _top_problems(path, tree, known)
    if references > MAX_INTERPOLATIONS:
        what = say("cli.yaml_check.references", most=MAX_INTERPOLATIONS)
        problems.append(Problem(str(path), what))
    return problems


def _walk(node: yaml.Node) -> Iterator[tuple[yaml.Node, bool]]:
    """Walk every scalar, and every key, of a tree; depth is bounded by the check before."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield key, True
            yield from _walk(value)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _walk(value)
    else:
        yield node, False


def _key_refusal(node: yaml.Node) -> str | None:
    if not isinstance(node, yaml.ScalarNode):
        return say("cli.yaml_check.plain_name")
    name = node.value
    if name in _FORBIDDEN_KEYS or _HYDRA_KEY.match(name) or name.startswith("_target_"):
        return say("cli.yaml_check.code_key", key=repr(name))
    if "${" in name:
        return say("cli.yaml_check.referring_key", key=repr(name))
    return _surprise(node)


def _value_refusal(node: yaml.Node) -> str | None:
    assert isinstance(node, yaml.ScalarNode)
    text = node.value
    if text.startswith(("ext://", "cfg://")):
        return say("cli.yaml_check.code_value", value=repr(text[:40]))
    if "${" in text and ("hydra" in text or not _RELATIVE_KEY.fullmatch(text)):
        return say("cli.yaml_check.reference", value=repr(text[:40]))
    if text == "???":
        return say("cli.yaml_check.no_value")
    return _surprise(node)


def _surprise(node: yaml.ScalarNode) -> str | None:
    """Refuse unquoted text that YAML reads as something else than it looks like."""
    text = node.value
    if node.style:  # quoted, or a block of text
        return None
    if text.lower() in _YES_NO:
        return say("cli.yaml_check.yes_no", text=text)
    if re.fullmatch(r"[-+]?0[0-9_]+", text):
        return say("cli.yaml_check.octal", text=text)
    if re.fullmatch(r"[-+]?[0-9][0-9_]*(:[0-9]+)+(\.[0-9_]*)?", text):
        return say("cli.yaml_check.sixties", text=text)
    return None


def _duplicates(path: Path, tree: yaml.Node) -> list[Problem]:
    seen: set[str] = set()
    problems = []
    for index, (key, _) in enumerate(getattr(tree, "value", ())) if _is_map(tree) else ():
        if isinstance(key, yaml.ScalarNode):
            if key.value in seen:
                what = say("cli.yaml_check.twice", key=repr(key.value))
                problems.append(Problem(_line_of(path, key), what))
            seen.add(key.value)
        problems += _duplicates(path, tree.value[index][1])
    if isinstance(tree, yaml.SequenceNode):
        for value in tree.value:
            problems += _duplicates(path, value)
    return problems


def _is_map(node: yaml.Node) -> bool:
    return isinstance(node, yaml.MappingNode)


def _top_problems(path: Path, tree: yaml.MappingNode, known: Known) -> list[Problem]:
    """Check the defaults list, and that a file says nothing of where results go and how told."""
    problems = []
    for key, value in tree.value:
        name = getattr(key, "value", None)
        if name in _COMMAND_LINE_ONLY:
            problems.append(Problem(_line_of(path, key), say(_COMMAND_LINE_ONLY[name])))
        if name == "defaults":
            problems += _defaults_problems(path, value, known)
    return problems


def _defaults_problems(path: Path, node: yaml.Node, known: Known) -> list[Problem]:
    if not isinstance(node, yaml.SequenceNode):
        return [Problem(_line_of(path, node), say("cli.yaml_check.defaults"))]
    problems = []
    for entry in node.value:
        refused = _default_refusal(entry, known)
        if refused:
            problems.append(Problem(_line_of(path, entry), refused))
    return problems


def _default_refusal(entry: yaml.Node, known: Known) -> str | None:
    """Allow ``_self_``, a sibling's name, and ``[override] /group: option(s)``."""
    if isinstance(entry, yaml.ScalarNode):
        plain = _PLAIN_NAME.match(entry.value)
        return None if plain else say("cli.yaml_check.no_option", given=repr(entry.value))
    if not isinstance(entry, yaml.MappingNode) or len(entry.value) != 1:
        return say("cli.yaml_check.default")
    key, value = entry.value[0]
    group = re.sub(r"^(optional |override )*/?", "", str(key.value)).strip()
    if group not in known.options:
        hint = suggestion(group, known.options)
        return say("cli.yaml_check.unknown_group", given=repr(group), hint=hint)
    if isinstance(value, yaml.SequenceNode) and group != "policy":
        # Options of other groups write the same keys: the last would hold, and nobody be told.
        if group == "measure":
            return say("cli.yaml_check.several_measures", group=group)
        return say("cli.yaml_check.several", group=group)
    names = value.value if isinstance(value, yaml.SequenceNode) else [value]
    for name in names:
        option = getattr(name, "value", None)
        if option in ("null", "~", "") or option in known.options[group]:
            continue
        hint = suggestion(str(option), known.options[group])
        return say("cli.unknown_option", group=group, given=repr(option), hint=hint)
    return None
