"""Jinja prompts: what they can do, and everything that they cannot."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import PromptError
from evalkit.prompts import Prompt
from evalkit.prompts.budget import LONGEST_OUTPUT


def made(text: str) -> Prompt:
    return Prompt(name="p", text=text, template="jinja")


def said(text: str, **variables: Any) -> str:
    return str(made(text).render(**variables))


def refusal(text: str, **variables: Any) -> str:
    with pytest.raises(PromptError) as caught:
        made(text).render(**variables)
    return str(caught.value)


DOCS = [{"title": "One", "text": "first", "tags": ["a"]}, {"title": "Two", "text": "second", "tags": []}]


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        (
            "{% for d in docs %}\n[{{ loop.index }}] {{ d.title }}: {{ d['text']|upper }}\n{% endfor %}\n!",
            "[1] One: FIRST\n[2] Two: SECOND\n!",
        ),
        ("{{ docs|map(attribute='title')|join(', ') }}", "One, Two"),
        ("{% if docs|length > 1 and docs[0].tags %}yes{% else %}no{% endif %}", "yes"),
        ("{{ docs[1].tags }} {{ docs[0] }}", '[] {"title": "One", "text": "first", "tags": ["a"]}'),
        ("{% for k, v in docs[0]|items %}{{ k }};{% endfor %}", "title;text;tags;"),
        ("{% set name = docs[0].title ~ '!' %}{{ name }}", "One!"),
        ("{{ docs[0].title[::-1] }} {{ docs[0].title|replace('O', 'o') }}", "enO one"),
        ("{{ docs[0]|tojson }}", '{"title": "One", "text": "first", "tags": ["a"]}'),
        ("{{ 'yes' if docs else 'no' }} {{ 1 + 2 }} {{ 7 // 2 }}", "yes 3 3"),
        ("{% raw %}{{ docs }}{% endraw %}{# nothing #}", "{{ docs }}"),
        ("{% for d in docs if d.tags %}{{ d.title }}{% endfor %}", "One"),
        ("{{ docs|map(attribute='title')|sort(reverse=true)|first }}", "Two"),
        ("{{ '<b>' }}", "<b>"),
        ("{{ [1, 2] }} {{ none }}|{{ true }}", "[1, 2] |true"),
    ],
)
def test_what_a_template_can_say(text: str, rendered: str) -> None:
    prompt = made(text)
    assert str(prompt.render(**dict.fromkeys(prompt.variables, DOCS))) == rendered


def test_variables_are_found_and_those_asked_about_are_optional() -> None:
    prompt = made(
        "{{ a }}{% if b is defined %}{{ b }}{% endif %}{{ c|default('x') }}{% for d in e %}{{ d }}{% endfor %}"
    )
    assert prompt.variables == ("a", "b", "c", "e")
    assert prompt.optional_variables == {"b", "c"}
    assert str(prompt.render(a=1, e=[2])) == "1x2"
    with pytest.raises(PromptError, match='no value for "a", "e"'):
        prompt.render()


def test_an_error_names_the_line_of_the_file(write: Callable[..., Prompt]) -> None:
    prompt = write("p.md", "---\ntemplate: jinja\n---\n\none\n{{ a }}\n{{ b.missing }}\n")
    with pytest.raises(PromptError, match=r"p\.md:7: .* has no attribute 'missing'"):
        prompt.render(a=1, b={})
    with pytest.raises(PromptError, match=r"p\.md:5: This is not Jinja"):
        write("p.md", "---\ntemplate: jinja\n---\n\n{% if %}")


def test_values_are_never_templates() -> None:
    assert said("{{ a }}", a="{{ 1 + 1 }}{% for %}") == "{{ 1 + 1 }}{% for %}"


class Secret:
    key = "canary"

    def __str__(self) -> str:
        return self.key


def test_objects_do_not_get_in() -> None:
    assert "no form in JSON" in refusal("{{ a.key }}", a=Secret())
    assert "no form in JSON" in refusal("{{ a[0].key }}", a=[Secret()])


ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ a.__class__ }}",
    "{{ a['__class__'] }}",
    "{{ a|attr('__class__') }}",
    "{{ a['__cla' ~ 'ss__'] }}",
    "{{ a|map(attribute='__class__')|list }}",
    "{{ a|sort(attribute='__class__') }}",
    "{{ a|join(attribute='__class__') }}",
    "{{ lipsum.__globals__ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self }}",
    "{{ config }}",
    "{{ request }}",
    "{{ joiner }}",
    "{{ namespace }}",
    "{{ dict }}",
    "{{ range }}",
    "{% set ns = namespace(x=1) %}",
    "{% for x in a.__class__.__mro__ %}{{ x }}{% endfor %}",
    "{% for x in a %}{{ loop.__class__ }}{% endfor %}",
    "{% for x in a %}{{ loop }}{% endfor %}",
    "{% for x in a %}{{ loop.cycle('a') }}{% endfor %}",
    "{% for x in a recursive %}{{ loop(a) }}{% endfor %}",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{{ m() }}",
    "{% import 'os' as os %}{{ os }}",
    "{% from 'os' import system %}",
    "{% include '/etc/passwd' %}",
    "{% extends 'x' %}",
    "{% block x %}{% endblock %}",
    "{% call(x) y() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% set x %}y{% endset %}",
    "{% with x = 1 %}{{ x }}{% endwith %}",
    "{% autoescape false %}{{ a }}{% endautoescape %}",
    "{{ '%s' % a }}",
    "{{ '{0.__class__}'.format(a) }}",
    "{{ a|format('x') }}",
    "{{ a.append(1) }}",
    "{{ a.upper }}",
    "{{ a.format_map }}",
    "{{ _private }}",
    "{{ a|pprint }}",
    "{{ a|xmlattr }}",
    "{{ a|random }}",
    "{{ a is callable }}",
    "{{ a|join(*a) }}",
    "{{ a|join(**a) }}",
    "{{ a|map('attr', '__class__') }}",
    "{{ a|select('callable') }}",
    "{{ a|groupby('__class__') }}",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_no_way_out(text: str) -> None:
    for value in ("text", ["x"], {"x": 1}):
        try:
            prompt = made(text)
            shown = str(prompt.render(**dict.fromkeys(prompt.variables, value)))
        except PromptError:
            continue
        # What is left treats the names as keys of plain data, of which there are none, or as a value that was given.
        assert shown in ("text", '["x"]', '{"x": 1}'), shown


BOMBS = {
    "multiplication": "{{ 'a' * 100000000 }}",
    "multiplication of lists": "{{ [1] * 1000000000 }}",
    "power": "{{ 9 ** 9 ** 9 }}",
    "range": "{% for x in range(10 ** 9) %}x{% endfor %}",
    "format": "{{ '%1000000000d' % 1 }}",
    "doubling": "{% set a = 'x' %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
    "adding": "{% set a = 'x' %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "doubling lists": "{% set a = xs %}" + "{% set a = a + a %}" * 40 + "{{ a }}",
    "nesting lists": "{% set a = xs %}" + "{% set a = [a, a] %}" * 40 + "{{ a }}",
    "many strings": "{% set a = 'x' %}"
    + "{% set a = a ~ a %}" * 18
    + "".join(f"{{% set b{i} = a ~ a %}}" for i in range(2500)),
    "many slices": "{% set a = 'x' %}"
    + "{% set a = a ~ a %}" * 18
    + "".join(f"{{% set b{i} = a[1:] %}}" for i in range(2500)),
    "loops": "{% for a in xs %}{% for b in xs %}{% for c in xs %}{% for d in xs %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}",
    "loops over text": "{% set a = 'x' %}"
    + "{% set a = a ~ a %}" * 14
    + "{% for x in a %}{% for y in a %}{% endfor %}{% endfor %}",
    "output": "{% for a in xs %}{% for b in xs %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endfor %}{% endfor %}",
    "replace": "{{ long|replace('a', '" + "b" * 1000 + "') }}",
    "join": "{{ xs|join('" + "b" * 100_000 + "') }}",
    "indent": "{{ long|indent(1000000000) }}",
    "centre": "{{ 'x'|center(1000000000) }}",
    "round": "{{ 1.5|round(1000000000) }}",
    "parentheses": "{{ " + "(" * 20_000 + "1" + ")" * 20_000 + " }}",
    "nots": "{{ " + "not " * 20_000 + "1 }}",
    "sums": "{{ 1" + "+1" * 20_000 + " }}",
    "attributes": "{{ xs" + ".a" * 20_000 + " }}",
    "ifs": "{% if xs %}" * 5_000 + "{% endif %}" * 5_000,
    "twenty-five loops": "{% for a in xs %}" * 25 + "{% endfor %}" * 25,
    "a long number": "{{ " + "9" * 100_000 + " }}",
    "an infinite number": "{{ 1e999 }}",
    "brackets": "{{ " + "[" * 5_000 + "]" * 5_000 + " }}",
    "a long template": "x" * 1_000_000,
    "many parts": "{{ a }}" * 12_000,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_stopped(name: str) -> None:
    values = {"xs": list(range(300)), "long": "a" * 900_000}
    with pytest.raises(PromptError) as caught:
        prompt = made(BOMBS[name])
        prompt.render(**{name: values.get(name) for name in prompt.variables})
    assert caught.value.where


def test_output_just_within_the_cap_is_given() -> None:
    assert len(said("{{ a }}", a="x" * LONGEST_OUTPUT)) == LONGEST_OUTPUT
    assert "more than 1,000,000 characters" in refusal("{{ a }}y", a="x" * LONGEST_OUTPUT)


def test_misspelled_filters_and_tests_get_the_nearest_name() -> None:
    assert 'Did you mean "upper"?' in refusal("{{ a|uper }}", a="x")
    assert 'Did you mean "defined"' in refusal("{{ a is defind }}", a="x")


SYNTAX = st.sampled_from(
    ["{{", "}}", "{%", "%}", " a ", " b", "|", "upper", "join(", "for ", "in ", "if ", "endfor", "endif", "else", "set ", "=", "[", "]", "(", ")",
     "'x'", "1", ".", "~", "+", "-", "is defined", "loop.index", "{#", "#}", "raw", "endraw", "\n", "__class__", "*", ",", ":", "{", "}"]
)  # fmt: skip


@given(text=st.lists(SYNTAX, max_size=25).map("".join), value=st.one_of(st.text(), st.lists(st.integers()), st.none()))
def test_any_template_renders_or_says_what_is_wrong(text: str, value: object) -> None:
    try:
        prompt = made(text or "x")
        shown = str(prompt.render(**dict.fromkeys(prompt.variables, value)))
    except PromptError:
        return
    assert "<" not in shown.replace(str(value), ""), "no repr of an object ever comes out"
