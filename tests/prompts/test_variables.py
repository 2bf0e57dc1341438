"""Variables: found, checked, and filled with what was given and nothing else."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import PromptError
from evalkit.prompts import Prompt


def made(text: str, **more: Any) -> Prompt:
    return Prompt(name="p", text=text, **more)


def test_a_missing_variable_is_named_with_its_line(write: Callable[..., Prompt]) -> None:
    prompt = write("reply.md", "---\nowner: me\n---\nHello,\n\n{{ question }} {{ tone }}\n")
    with pytest.raises(PromptError) as caught:
        prompt.render(tone="kind")
    assert str(caught.value).startswith('reply.md:6: The prompt reply was given no value for "question".')
    assert "Its variables are question, tone." in str(caught.value)


def test_an_extra_variable_is_named_with_the_nearest_one(write: Callable[..., Prompt]) -> None:
    prompt = write("reply.md", "Hello {{ question }}")
    with pytest.raises(PromptError, match=r'"qestion" is no variable of the prompt reply\. Did you mean "question"'):
        prompt.render(question="a", qestion="b")


def test_one_brace_too_few_is_seen() -> None:
    with pytest.raises(PromptError, match=r"written \{\{ name \}\}, in two braces"):
        made("Hello {name}").render(name="Ada")


def test_in_a_chat_the_place_is_that_of_the_message(write: Callable[..., Prompt]) -> None:
    prompt = write(
        "chat.yaml",
        "messages:\n  - role: system\n    content: hi\n  - role: user\n    content: |\n      a\n      {{ q }}\n",
    )
    with pytest.raises(PromptError, match=r"chat.yaml:5 \(line 2 of the text\)"):
        prompt.render()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ada", "Ada"),
        (3, "3"),
        (0.5, "0.5"),
        (True, "true"),
        ([1, {"a": "ü"}], '[1, {"a": "ü"}]'),
        (dt.date(2026, 1, 31), "2026-01-31"),
        (Decimal("1.10"), "1.10"),
        ("", ""),
    ],
)
def test_values_as_text(value: object, text: str) -> None:
    assert str(made("<{{ v }}>").render(v=value)) == f"<{text}>"


@pytest.mark.parametrize(
    ("value", "said"), [(None, "is None"), (object(), "no form"), (float("nan"), "nan"), (lambda: 1, "no form")]
)
def test_values_that_no_prompt_can_hold(value: object, said: str) -> None:
    with pytest.raises(PromptError, match=f'"v" .*{said}'):
        made("{{ v }}").render(v=value)


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        (r"\{{ v }}", "{{ v }}"),
        (r"\\{{ v }}", r"\V"),
        (r"\\\{{ v }}", r"\{{ v }}"),
        ("{{{ v }}}", "{V}"),
        ('{"a": {{ v }}}', '{"a": V}'),
        ("{% if v %}{{v}}", "{% if v %}V"),
        ("{{\n v\n}}", "V"),
        ("a } b }} {c}", "a } b }} {c}"),
        (r"\frac{1}{2} \n", r"\frac{1}{2} \n"),
    ],
)
def test_braces_that_are_text(text: str, rendered: str) -> None:
    prompt = made(text)
    assert str(prompt.render(**dict.fromkeys(prompt.variables, "V"))) == rendered


@pytest.mark.parametrize(
    "text",
    [
        "{{ a b }}",
        "{{ }}",
        "{{",
        "{{ a",
        "{{ 1a }}",
        "{{ a-b }}",
        "x {{ a }",
        "{{ a.b }}",
        "{{ a|upper }}",
        "{{ f() }}",
    ],
)
def test_what_begins_no_variable_is_refused_with_its_line(write: Callable[..., Prompt], text: str) -> None:
    with pytest.raises(PromptError, match=r"reply\.md:3: .* begins no variable"):
        write("reply.md", f"one\ntwo\n{text}")


def test_jinja_in_a_plain_prompt_is_pointed_at() -> None:
    with pytest.raises(PromptError, match="template: jinja"):
        made("{{ name|upper }}")


@given(value=st.text())
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    assert str(made("<{{ a }}{{ b }}>").render(a=value, b="{{ a }}")) == f"<{value}{{{{ a }}}}>"


@given(text=st.text(alphabet="{}\\ab |%\n._-1é", max_size=60))
def test_any_text_is_a_prompt_or_refused(text: str) -> None:
    for template in ("plain", "jinja"):
        with contextlib.suppress(PromptError):
            prompt = made(text, template=template)
            assert isinstance(str(prompt.render(**dict.fromkeys(prompt.variables, "v"))), str)


@given(pieces=st.lists(st.text().filter(lambda text: "{" not in text and not text.endswith("\\")), min_size=1))
def test_escaped_braces_come_back_as_they_were(pieces: list[str]) -> None:
    assert str(made(r"\{{".join(pieces) + "{{ end }}").render(end=".")) == "{{".join(pieces) + "."


def test_a_prompt_that_uses_a_variable_very_often_is_read_in_one_pass() -> None:
    assert str(made("{{ a }}\n" * 100_000).render(a="x")) == "x\n" * 100_000
