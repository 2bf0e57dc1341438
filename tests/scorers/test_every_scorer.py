"""What holds of every built-in scorer: documented, cheap to import, quiet on odd input, and clear about misuse."""

import inspect
import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

import evalkit_scorers
from evalkit.case import Case
from evalkit.errors import EvalkitError, ScorerError
from evalkit.score import Scorer, as_scorer, scorer, scores_from
from evalkit.trial import Output
from evalkit_scorers.reference import BEGIN, END, catalogue, markdown, written_into

PAGE = Path(__file__).resolve().parents[2] / "docs/scorers.md"
NAMES = [name for name in evalkit_scorers.__all__ if ".judges." not in getattr(evalkit_scorers, name).__module__]


def built() -> dict[str, Scorer]:
    """One scorer of each kind, with the options it cannot do without."""
    arguments = {
        "code_execution": (("{{ output }}",), {"allow_execution": True}),
        "embedding_similarity": ((lambda text: [1.0, float(len(text))],), {}),
        "forbidden_words": ((["sorry"],), {}),
        "json_schema": (({"type": "object"},), {}),
        "max_length": ((100,), {}),
        "min_length": ((1,), {}),
        "ndcg_at": ((3,), {}),
        "precision_at": ((3,), {}),
        "recall_at": ((3,), {}),
        "regex": (("a+b",), {}),
        "not_": ((evalkit_scorers.exact_match(),), {}),
        "all_of": ((evalkit_scorers.exact_match(), evalkit_scorers.contains("x")), {}),
        "any_of": ((evalkit_scorers.exact_match(), evalkit_scorers.contains("x")), {}),
        "weighted": (((evalkit_scorers.exact_match(), 1), (evalkit_scorers.token_f1(), 1)), {}),
        "on": (("a", evalkit_scorers.exact_match()), {}),
    }
    scorers = {}
    for name in NAMES:
        positional, options = arguments.get(name, ((), {}))
        scorers[name] = getattr(evalkit_scorers, name)(*positional, **options)
    return scorers


BUILT = built()
OF_TEXT = sorted(
    {name for name, one in BUILT.items() if "output" in one.needs}
    - {"code_execution", "tool_call_match", "trajectory_match", "precision_at", "recall_at", "mrr", "ndcg_at"}
)
LIMITED = {"bleu", "chrf", "rouge", "edit_distance"}


def expected_for(name: str):
    """Something that the scorer can compare with, and that no output equals by accident."""
    if name in {"json_fields", "on"}:
        return {"a": "x"}
    if name in {"trajectory_match", "tool_call_match", "precision_at", "recall_at", "mrr", "ndcg_at"}:
        return ["step"]
    return "A" if name == "multiple_choice" else "A 1"


def asked(name: str, output, expected):
    one = BUILT[name]
    everything = {"output": output, "expected": expected, "trace": Output(value=output), "case": Case(id="c")}
    return scores_from(one(**everything), one)


def test_the_reference_in_the_documentation_is_current():
    page = PAGE.read_text(encoding="utf-8")
    assert written_into(page, markdown(catalogue())) == page, "run: python -m evalkit_scorers.reference docs/scorers.md"


def test_the_reference_has_every_scorer_once():
    assert sorted(doc.name for doc in catalogue()) == sorted(NAMES)
    assert written_into(f"a\n{BEGIN}\nold\n{END}\nb", "new") == f"a\n{BEGIN}\n\nnew\n\n{END}\nb"
    with pytest.raises(ValueError, match="two lines"):
        written_into("a page without marks", "new")


def described(name: str) -> str:
    """What a scorer says of itself, and what those say that it refers to: "options as in `contains`"."""
    text = " ".join(inspect.getdoc(getattr(evalkit_scorers, name)).split())
    return text + "".join(described(other) for other in NAMES if f"in `{other}`" in text and other != name)


@pytest.mark.parametrize("name", NAMES)
def test_each_is_documented_with_its_edge_cases(name):
    function = getattr(evalkit_scorers, name)
    text = inspect.getdoc(function)
    assert len(text.splitlines()[0]) < 120
    options = [option for option in inspect.signature(function).parameters if option != "parts"]
    explained = " ".join(re.findall(r"`[^`]*`", described(name)))
    assert [option for option in options if not re.search(rf"\b{option}\b", explained)] == []
    if "output" in BUILT[name].needs:
        assert any(word in text for word in ("Edge cases", "edge cases", "unscored")), "says nothing of odd input"


@pytest.mark.parametrize("name", NAMES)
def test_each_makes_a_scorer_that_carries_its_name_and_version(name):
    one = BUILT[name]
    assert isinstance(one, Scorer)
    assert one.name.isidentifier()
    assert name in one.name or name in {"all_of", "any_of", "on", "not_"}
    assert one.version == built()[name].version
    assert json.dumps(one.config and dict(one.config), default=dict)


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_option_is_refused_with_the_known_ones(name):
    with pytest.raises(ScorerError) as caught:
        getattr(evalkit_scorers, name)(no_such_option=1)
    assert f'{name} has no option "no_such_option"' in str(caught.value)
    assert caught.value.where.startswith(__file__)


@pytest.mark.parametrize("name", NAMES)
def test_forgetting_to_call_it_is_said(name):
    with pytest.raises(ScorerError, match=rf"Write {name}\(\)"):
        as_scorer(getattr(evalkit_scorers, name))


@pytest.mark.parametrize("name", NAMES)
def test_no_output_is_never_a_pass(name):
    (score,) = asked(name, None, expected_for(name))
    if name == "not_":
        assert score.passed, "it turns a miss round"
    else:
        assert not score.passed
        assert score.value in (None, 0.0)


@pytest.mark.parametrize(
    "name",
    sorted(name for name, one in BUILT.items() if one.requires_expected and name not in {"all_of", "any_of"}),
)
def test_no_expected_value_is_unscored(name):
    scores = asked(name, "y", None)
    assert {score.status for score in scores} == {"unscored"}


@pytest.mark.parametrize("name", OF_TEXT)
@pytest.mark.parametrize(
    "output", ["", "\0", "\ud800", "👩‍👩‍👧", "\u202eabc", "<script>", "{{ x }}", "NaN", "1" * 5000]
)
def test_odd_text_gives_a_score_that_can_be_stored(name, output):
    for score in asked(name, output, expected_for(name)):
        (score.explanation or "").encode("utf-8")
        assert len(score.explanation or "") < 700


@pytest.mark.parametrize("name", sorted(set(OF_TEXT) - LIMITED))
@pytest.mark.parametrize("unit", ["a", "1,", "1 ", "a@", "{", "(A) ", "é ", "::1 "])
def test_a_megabyte_is_read_in_time_and_explained_in_a_line(name, unit):
    output = unit * (1_000_000 // len(unit))
    started = time.process_time()
    scores = asked(name, output, expected_for(name))
    assert time.process_time() - started < 20, "grows faster than the text"
    assert all(len(score.explanation or "") < 700 for score in scores)


def loaded_by(code: str) -> set[str]:
    script = (
        f"import sys, json\nbefore = set(sys.modules)\n{code}\nprint(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_loads_none_of_it():
    table = {"evalkit_scorers", "evalkit", "evalkit.contents", "evalkit.version"}
    assert {name for name in loaded_by("import evalkit_scorers") if name.startswith("evalkit")} == table


def test_a_text_scorer_loads_no_library_for_other_scorers():
    modules = loaded_by("import evalkit_scorers as s\ns.exact_match()\ns.numeric_match()\ns.contains('x') >= 1")
    heavy = {"re2", "jsonschema", "rapidfuzz", "sacrebleu", "rouge_score", "subprocess", "asyncio", "numpy"}
    assert not heavy & modules


def test_a_name_that_is_nearly_right():
    with pytest.raises(AttributeError, match='Did you mean "exact_match"'):
        _ = evalkit_scorers.exact_mach
    assert "exact_match" in dir(evalkit_scorers)


def test_a_mistake_inside_a_factory_is_not_hidden():
    from evalkit.score import factory

    @factory
    def broken(size=1):
        return len(size)

    with pytest.raises(TypeError, match="has no len"):
        broken()


def test_a_lambda_is_a_scorer_under_a_given_name():
    short = scorer(name="short")(lambda output: len(output) < 5)
    assert (short.name, short(output="abc")) == ("short", True)
    with pytest.raises(EvalkitError, match="no name"):
        as_scorer(lambda output: True)
