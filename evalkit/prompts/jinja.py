"""A Jinja template that is held to an allow-list, to plain data and to a budget; nothing of it is evaluated before."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, meta, nodes, pass_context
from jinja2.environment import Template
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from evalkit.errors import PromptError
from evalkit.prompts import allowed, budget
from evalkit.prompts.filters import TESTS, plus, registered, text_of
from evalkit.prompts.place import Place
from evalkit.prompts.values import as_data

LONGEST_TEMPLATE = 100_000
"""Characters that a Jinja template may have."""

_LOOP = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem", "depth", "depth0"}
)
_FILE = "<prompt>"


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, in which an attribute is a key of a dict or something that a loop says, and nothing of Python's."""

    intercepted_binops = frozenset({"+"})

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        if isinstance(obj, Undefined):
            return getattr(obj, attribute)  # which raises, and names what is undefined
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        try:
            return obj[argument]
        except (LookupError, TypeError, AttributeError):
            return self.undefined(obj=obj, name=argument)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002 - jinja2's signature
        return plus(left, right)


@pass_context  # so that nothing is put out while the template is compiled
def _put_out(_: Any, value: Any) -> str:
    return text_of(value)


@functools.cache
def _environment() -> _Environment:
    environment = _Environment(
        undefined=StrictUndefined,
        finalize=_put_out,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
        optimized=False,
        cache_size=0,
    )
    environment.globals.clear()
    environment.filters.clear()
    environment.filters.update(registered())
    for name in [name for name in environment.tests if name not in TESTS]:
        del environment.tests[name]
    return environment


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class JinjaTemplate:
    """A checked and compiled template; `variables` has the line of each name's first use, `optional` those that need
    no value.
    """

    template: Template
    variables: Mapping[str, int]
    optional: frozenset[str]
    place: Place

    @classmethod
    def parse(cls, text: str, place: Place) -> JinjaTemplate:
        """The template of `text`. Raises `PromptError`, with the line, for what is no Jinja or not allowed."""
        if len(text) > LONGEST_TEMPLATE:
            raise PromptError(f"A Jinja template has at most {LONGEST_TEMPLATE:,} characters.", where=place.at(1))
        environment = _environment()
        try:
            tree = environment.parse(text)
            allowed.check(tree, place)
            optional = allowed.optional_variables(tree)
            lines = allowed.first_lines(tree)
            tree = allowed.counted(tree)
            names = meta.find_undeclared_variables(tree)
            template = _compiled(environment, tree)
        except PromptError:
            raise
        except TemplateSyntaxError as error:
            raise PromptError(f"This is not Jinja: {_sentence(error.message)}.", where=place.at(error.lineno)) from None
        except (RecursionError, MemoryError, SyntaxError, OverflowError, ValueError) as error:
            # Python's own limits, met while reading or compiling: nesting, the length of a number.
            raise PromptError(f"The template is too large or too deep: {error}.", where=place.at(1)) from None
        ordered = sorted(names, key=lambda name: (lines.get(name, 1), name))
        return cls(
            template=template,
            variables={name: lines.get(name, 1) for name in ordered},
            optional=optional & names,
            place=place,
        )

    def render(self, values: Mapping[str, Any]) -> str:
        """The text with `values` in it. Raises `PromptError` for what is missing inside them, and beyond the budget."""
        data = {
            name: as_data(values[name], what=f'The value of "{name}"', where=self.place.at(line))
            for name, line in self.variables.items()
            if name in values
        }
        pieces: list[str] = []
        try:
            with budget.limited() as left:
                for piece in self.template.generate(data):
                    left.write(piece)
                    pieces.append(piece)
        except budget.Exhausted as error:
            raise PromptError(
                f"The prompt {error} when it is rendered.",
                where=self._where(error),
                hint="Shorten what is passed to it, or prepare it in Python.",
            ) from None
        except TemplateError as error:
            raise PromptError(
                f"The prompt cannot be rendered: {_sentence(error.message)}.", where=self._where(error)
            ) from None
        except Exception as error:  # whatever an expression on the wrong kind of value raises inside the template
            raise PromptError(
                f"The prompt cannot be rendered: {_sentence(str(error))}.", where=self._where(error)
            ) from None
        return "".join(pieces)

    def _where(self, error: BaseException) -> str:
        line, trace = 1, error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == _FILE:
                line = trace.tb_lineno
            trace = trace.tb_next
        return self.place.at(line)


def _compiled(environment: _Environment, tree: nodes.Template) -> Template:
    code = environment.compile(tree, filename=_FILE)
    return environment.template_class.from_code(environment, code, {}, None)


def _sentence(message: str | None) -> str:
    return (message or "something is wrong").rstrip(".")[:300]
