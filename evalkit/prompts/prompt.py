"""A prompt: what is said to a model, with variables in it, and the record of it when they are filled in."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from evalkit.canonical import digest as digest_of
from evalkit.errors import PromptError, did_you_mean
from evalkit.prompts.message import Inserted, Message, parsed
from evalkit.prompts.place import InCode, Origin
from evalkit.prompts.shape import checked_parts
from evalkit.prompts.template import Engine, Template, parse
from evalkit.prompts.values import frozen, thawed
from evalkit.versions import Version


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A prompt with its variables filled in: what `model.chat(…)` takes. `str()` gives the text.

    `messages` are plain dicts with `role` and `content`, as the APIs of models take them; `text` is what they say, the
    text itself for a prompt that is one text. `tools`, `response_format` and `settings` are the prompt's own, as fresh
    plain data; `None` and empty where it has none. `version` says which prompt this is.
    """

    messages: list[dict[str, Any]]
    text: str
    version: Version
    tools: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    response_format: dict[str, Any] | None = None
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)

    def __str__(self) -> str:
        return self.text


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A prompt, as a file or code declares it. It cannot be changed; another text is another prompt.

    It is one `text`, said in `role`, or several `messages` (dicts with `role` and `content`; `{"insert": "history"}`
    stands for a list of messages given when it is rendered). Both have variables `{{ name }}`; `template` says who
    fills them: `plain` or `jinja`. `tools`, `response_format` and `settings` (temperature and the like) go with it
    to the model. `description`, `owner` and `tags` are for people, and no part of its version.

    `variables` are the names in the order in which they first appear, `optional_variables` those that need no value,
    since a Jinja template itself asks whether they are there. `version` is which version of which prompt this is.

    `number` is its version's number in a store, `None` where none was asked. `source` is where it came from, such as
    `prompts/greet.md`, and `origin` where its parts stand there. Raises `PromptError` for what cannot be a prompt.
    """

    name: str
    text: str | None = None
    role: str = "user"
    messages: Sequence[Mapping[str, Any]] = ()
    template: Engine = "plain"
    tools: Sequence[Mapping[str, Any]] = ()
    response_format: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    description: str = ""
    owner: str = ""
    tags: Sequence[str] = ()
    number: int | None = dataclasses.field(default=None, compare=False)
    source: str | None = dataclasses.field(default=None, compare=False)
    origin: Origin | None = dataclasses.field(default=None, repr=False, compare=False)
    variables: tuple[str, ...] = dataclasses.field(init=False, repr=False, compare=False)
    optional_variables: frozenset[str] = dataclasses.field(init=False, repr=False, compare=False)
    version: Version = dataclasses.field(init=False, repr=False, compare=False)
    _parts: tuple[Template | Message | Inserted, ...] = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        origin = self._origin
        for field, value in checked_parts(self, origin).items():
            object.__setattr__(self, field, frozen(value))
        if (self.text is None) == (not self.messages):
            raise PromptError(
                "A prompt has a text or messages, one of the two.",
                where=origin.at(),
                hint="A .md file has the text below its head; a .yaml file has `messages:` or `text:`.",
            )
        if self.text is None:
            parts: tuple[Template | Message | Inserted, ...] = parsed(self.messages, self.template, origin)
        elif self.text.strip():
            parts = (parse(self.text, self.template, origin.place("text")),)
        else:
            raise PromptError("The prompt is empty.", where=origin.at("text"))
        body = self._body()
        version = Version(
            kind="prompt", name=self.name, digest=digest_of(body), body=body, number=self.number, source=self.source
        )
        object.__setattr__(self, "_parts", parts)
        needed = {name for one in self._templates() for name in one.variables if name not in one.optional}
        object.__setattr__(
            self, "variables", tuple(dict.fromkeys(n for one in self._templates() for n in one.variables))
        )
        object.__setattr__(self, "optional_variables", frozenset(self.variables) - needed)
        object.__setattr__(self, "version", version)

    def __hash__(self) -> int:
        return hash((self.name, self.version.digest))

    @property
    def body(self) -> Mapping[str, Any]:
        """What the version is made of, as plain JSON data; parts that say nothing are left out."""
        return self.version.body

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of `body`, 64 hex digits: the same content is the same version."""
        return self.version.digest

    def render(self, /, **variables: Any) -> Rendered:
        """The prompt with its variables filled in.

        Text is put in as it is, whatever it says; numbers, lists and dicts as JSON. Raises `PromptError` for a
        variable without a value, one that there is none of, and a value that has no form in a prompt.
        """
        self._check(variables)
        _note(self.version)
        messages: list[dict[str, Any]] = []
        texts: list[str] = []
        for part in self._parts:
            made = part.render(variables)
            if isinstance(made, str):
                messages.append({"role": self.role, "content": made})
                texts.append(made)
            else:
                messages += made
                texts += [f"{one['role']}: {_said(one.get('content'))}" for one in made]
        return Rendered(
            messages=messages,
            text="\n\n".join(texts),
            version=self.version,
            tools=thawed(self.tools),
            response_format=thawed(self.response_format),
            settings=thawed(self.settings),
        )

    def _check(self, given: Mapping[str, Any]) -> None:
        known = self.variables
        optional = self.optional_variables
        missing = [name for name in known if name not in given and name not in optional]
        extra = [name for name in given if name not in known]
        if not missing and not extra:
            return
        said = [f'"{name:.60}" is no variable of the prompt {self.name}.{did_you_mean(name, known)}' for name in extra]
        if missing:
            words = ", ".join(f'"{name}"' for name in missing)
            said.append(f"The prompt {self.name} was given no value for {words}.")
        listed = f"Its variables are {', '.join(known)}." if known else "It has no variables."
        single = next((name for name in extra if f"{{{name}}}" in str(self.body)), None)
        if single is not None:
            listed += f" A variable is written {{{{ {single} }}}}, in two braces."
        where = self._use_of(missing[0]) if missing else self._origin.at()
        raise PromptError(" ".join(said), where=where, hint=listed)

    def _templates(self) -> Iterator[Template]:
        for part in self._parts:
            if isinstance(part, Message | Inserted):
                yield from part.templates
            else:
                yield part

    def _use_of(self, name: str) -> str:
        return next(one.place.at(one.variables[name]) for one in self._templates() if name in one.variables)

    @property
    def _origin(self) -> Origin:
        return self.origin or InCode(shown=f"prompt {self.name}")

    def _body(self) -> dict[str, Any]:
        parts: dict[str, Any] = {"template": self.template}
        if self.text is not None:
            parts |= {"text": self.text} | ({} if self.role == "user" else {"role": self.role})
        for key in ("messages", "tools", "response_format", "settings"):
            value = getattr(self, key)
            if value:
                parts[key] = thawed(value)
        return parts


def _said(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "\n".join(str(part.get("text", f"[{part.get('type', 'part')}]")) for part in content)


def _note(version: Version) -> None:
    """Have the trial that goes on, if one does, remember that it used `version`."""
    scopes = sys.modules.get("evalkit.tracing.scope")  # not imported: no trial can be going on
    scope = None if scopes is None else scopes.current()
    if scope is not None:
        scope.use(version)
