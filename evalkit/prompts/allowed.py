"""What a Jinja prompt may say: an allow-list of its syntax, and the rewriting that makes every step of it count.

Not allowed are calls, multiplication, imports, macros, blocks and names that begin with `_`: what remains cannot reach
Python's own objects, and what it builds grows only through steps that `budget` counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from evalkit.errors import PromptError, did_you_mean
from evalkit.prompts.filters import FILTERS, TESTS
from evalkit.prompts.place import Place

DEEPEST = 60
"""How deep expressions and blocks may nest; Python's own compiler stops at about a hundred."""

MOST_NODES = 10_000
"""How many parts a template may have: names, texts between them, operators. Compiling that many takes some seconds."""

_ALLOWED: tuple[type[nodes.Node], ...] = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.NSRef, nodes.Const, nodes.If, nodes.For,
    nodes.Assign, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Getattr, nodes.Getitem, nodes.Slice,
    nodes.Compare, nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Add, nodes.Sub, nodes.Div, nodes.FloorDiv,
    nodes.Neg, nodes.Pos, nodes.Concat, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword,
)  # fmt: skip

_WORDS = {
    nodes.Call: "A call",
    nodes.Mul: "Multiplication",
    nodes.Pow: "A power",
    nodes.Mod: "The operator %",
    nodes.Macro: "A macro",
    nodes.CallBlock: "A call block",
    nodes.Include: "An include",
    nodes.Import: "An import",
    nodes.FromImport: "An import",
    nodes.Extends: "Inheritance (extends)",
    nodes.Block: "A block",
    nodes.FilterBlock: "A filter block",
    nodes.AssignBlock: "A block assignment",
    nodes.With: "A `with` block",
    nodes.ScopedEvalContextModifier: "An autoescape block",
}
_RESERVED = {"self", "super", "caller", "varargs", "kwargs"}


def check(tree: nodes.Template, place: Place) -> None:
    """Raise `PromptError`, with the line, for what a prompt may not say."""
    for number, (node, depth) in enumerate(_walk(tree)):
        if number > MOST_NODES:
            raise PromptError(f"The template has more than {MOST_NODES:,} parts.", where=place.at(node.lineno))
        if depth > DEEPEST:
            raise PromptError(f"The template is nested more than {DEEPEST} levels deep.", where=place.at(node.lineno))
        refused = _refused(node)
        if refused:
            raise PromptError(
                refused,
                where=place.at(node.lineno),
                why="Prompts are often written by others, so their templates are held to text, values, if and for.",
                hint="Compute it in Python and pass the result as a variable.",
            )


def counted(tree: nodes.Template) -> nodes.Template:
    """The same template, in which loops, concatenations and slices go through filters that count what they do."""
    made: nodes.Template = _Counting().visit(tree)
    return made


def optional_variables(tree: nodes.Template) -> frozenset[str]:
    """Names that the template itself asks about (`x is defined`, `x|default(…)`): they need no value."""
    return frozenset(
        node.node.name
        for node, _ in _walk(tree)
        if isinstance(node, nodes.Test | nodes.Filter)
        and node.name in ("defined", "undefined", "default", "d")
        and isinstance(node.node, nodes.Name)
    )


def first_lines(tree: nodes.Template) -> dict[str, int]:
    """The line on which each name is first used."""
    lines: dict[str, int] = {}
    for node, _ in _walk(tree):
        if isinstance(node, nodes.Name) and node.ctx == "load":
            lines[node.name] = min(node.lineno, lines.get(node.name, node.lineno))
    return lines


def _refused(node: nodes.Node) -> str:
    if not isinstance(node, _ALLOWED):
        return f"{_WORDS.get(type(node), type(node).__name__)} is not allowed in a prompt."
    if isinstance(node, nodes.Name) and (node.name.startswith("_") or node.name in _RESERVED):
        return f'The name "{node.name:.60}" is not allowed in a prompt.'
    if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
        return f'The attribute "{node.attr:.60}" is not allowed in a prompt.'
    if isinstance(node, nodes.NSRef):
        return "A namespace is not allowed in a prompt."
    if isinstance(node, nodes.For) and node.recursive:
        return "A recursive loop is not allowed in a prompt."
    if isinstance(node, nodes.Filter | nodes.Test):
        known = FILTERS if isinstance(node, nodes.Filter) else TESTS
        if node.name not in known:
            kind = "filter" if isinstance(node, nodes.Filter) else "test"
            listed = ", ".join(sorted(known))
            return f'A prompt has no {kind} "{node.name:.60}".{did_you_mean(node.name[:60], known)} It has: {listed}.'
        if node.dyn_args is not None or node.dyn_kwargs is not None:
            return "Arguments with a star are not allowed in a prompt."
    if isinstance(node, nodes.Const) and isinstance(node.value, float) and math.isinf(node.value):
        return "A number is too large."
    if isinstance(node, nodes.List | nodes.Dict | nodes.Pair) and not _is_constant(node):
        return "A list or dict may have constants only."
    if isinstance(node, nodes.Tuple) and node.ctx == "load" and not _is_constant(node):
        return "A tuple may have constants only."
    return ""


def _is_constant(node: nodes.Node) -> bool:
    # Lists of variables could be nested by reassignment into something far larger than its parts. Looking one level
    # down is enough, since each list in the list is looked at as well.
    kinds = (nodes.List, nodes.Dict, nodes.Tuple, nodes.Pair, nodes.Const, nodes.Neg)
    return all(isinstance(inner, kinds) for inner in node.iter_child_nodes())


def _walk(node: nodes.Node) -> Iterator[tuple[nodes.Node, int]]:
    # By a stack of our own: a template may nest deeper than Python recurses.
    waiting = [(node, 0)]
    while waiting:
        found, depth = waiting.pop()
        yield found, depth
        waiting.extend((child, depth + 1) for child in reversed(list(found.iter_child_nodes())))


class _Counting(NodeTransformer):
    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - jinja2 calls it by the node's name
        self.generic_visit(node)
        assert isinstance(node.iter, nodes.Expr)
        node.iter = _through("_each", node.iter)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 - likewise
        self.generic_visit(node)
        return _through("_joined", nodes.List(node.nodes, lineno=node.lineno))

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 - likewise
        self.generic_visit(node)
        return _through("_counted", node) if isinstance(node.arg, nodes.Slice) else node


def _through(name: str, node: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
