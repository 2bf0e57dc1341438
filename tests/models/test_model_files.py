"""Model files: what they say, which version they are, and what is refused with its place."""

from __future__ import annotations

from decimal import Decimal

import pytest

from evalkit.errors import ConfigError, NotFound
from evalkit.models import KeyReference, Limits, Model, Rates, find, model_files, read_model_file


@pytest.fixture
def written(tmp_path):
    """Writes `models/solver.yaml` and reads it."""

    def write(text, name="solver.yaml"):
        path = tmp_path / "models" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return read_model_file(path, shown=f"models/{name}")

    return write


def test_a_file_says_everything(written):
    spec = written("""\
provider: acme
base_url: https://llm.acme.example/v1/
model: acme-large
parameters: {temperature: 0, max_tokens: 200, top_k: 5}
response_format: {type: json_object}
api_key: {env: ACME_KEY}
limits: {concurrency: 8, rpm: 600, tpm: 100000}
timeout: 90
attempt_timeout: 20.5
attempts: 3
price: {input: 0.1, output: 0.4, cached: 0.05}
""")
    assert spec.name == "solver"
    assert spec.body == {
        "provider": "acme",
        "base_url": "https://llm.acme.example/v1",
        "model": "acme-large",
        "parameters": {"temperature": 0, "max_tokens": 200, "top_k": 5},
        "response_format": {"type": "json_object"},
    }
    assert spec.api_key == KeyReference(env="ACME_KEY")
    assert spec.limits == Limits(concurrency=8, rpm=600, tpm=100_000)
    assert (spec.timeout, spec.each, spec.attempts) == (90, 20.5, 3)
    assert spec.rates == Rates(input=Decimal("0.1"), output=Decimal("0.4"), cached=Decimal("0.05"))
    assert spec.version.source == "models/solver.yaml"


def test_openai_is_what_is_asked_where_nothing_is_said(written):
    spec = written("model: gpt-4o-mini\n")
    assert (spec.provider, spec.url, spec.api_key) == (
        "openai",
        "https://api.openai.com/v1",
        KeyReference(env="OPENAI_API_KEY"),
    )


def test_the_key_of_openai_goes_to_openai_alone(written):
    spec = written("model: llama3\nbase_url: http://localhost:11434/v1\n")
    assert spec.api_key is None
    assert spec.provider is None


def test_the_version_is_what_is_answered_not_how_it_is_asked(written):
    plain = written("model: m\nparameters: {temperature: 0}\n").version
    other_way = written("""\
# asked otherwise
parameters: {temperature: 0.0}
timeout: 5
attempts: 2
limits: {rpm: 5}
api_key: {file: ~/key}
price: {input: 1, output: 1}
model: m
base_url: https://api.openai.com/v1/
provider: openai
""").version
    assert plain.digest == other_way.digest
    for change in ("model: m2\n", "model: m\nparameters: {temperature: 1}\n", "model: m\nresponse_format: {type: x}\n"):
        assert written(change).version.digest != plain.digest


def test_a_url_that_differs_by_machine_is_named_and_part_of_the_version(written, monkeypatch):
    spec = written("model: m\nbase_url: {env: LLM_URL}\n")
    assert spec.body["base_url"] == {"env": "LLM_URL"}
    monkeypatch.delenv("LLM_URL", raising=False)
    with pytest.raises(ConfigError, match="LLM_URL, which is not set"):
        Model.of(spec).check()
    monkeypatch.setenv("LLM_URL", "http://127.0.0.1:9/v1/")
    assert spec.url == "http://127.0.0.1:9/v1"
    Model.of(spec).check()


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("model: m\nparamters: {}\n", ":2", 'no key "paramters". Did you mean "parameters"?'),
        ("model: m\nlimits:\n  rpm: 5\n  concurency: 2\n", ":4", '"concurency". Did you mean "concurrency"?'),
        ("model: m\nlimits: {rpm: 0}\n", ":2", "`limits.rpm` is 0"),
        ("model: m\ntimeout: soon\n", ":2", "`timeout` is 'soon'"),
        ("model: m\nattempts: 50\n", ":2", "`attempts` is 50"),
        ("model: m\nparameters: {stream: true}\n", ":2", "`stream` is no parameter"),
        ("model: m\nbase_url: acme.example/v1\n", ":2", "which is no URL"),
        ("model: m\nbase_url: https://[::1/v1\n", ":2", "which is no URL"),
        ("model: m\nbase-url: https://acme.example/v1\n", ":2", 'Did you mean "base_url"'),
        ("model: m\nlimits: {r-p-m: 3}\n", ":2", '`limits` has no key "r-p-m"'),
        ("model: m\nbase_url: https://me:secret@acme.example/v1\n", ":2", "has a user"),
        ("model: m\nprovider: acme\n", ":2", "needs a `base_url`"),
        ("model: m\nprice: {input: 1, outputs: 2}\n", ":2", 'no key "outputs". Did you mean "output"?'),
        ("model: 7\n", ":1", "`model` is 7"),
        ("- model: m\n", "solver.yaml", "A model file is a mapping"),
        ("model: [\n", "solver.yaml", "not YAML"),
        ("model: &a m\nparameters: {x: *a}\n", ":1", "Anchors"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_line(written, text, place, says):
    with pytest.raises(ConfigError) as caught:
        written(text)
    assert says in str(caught.value)
    assert place in str(caught.value).splitlines()[0]
    assert "secret" not in str(caught.value)


KEY = "sk-" + "a1B2" * 8  # no key of anybody's


@pytest.mark.parametrize(
    "text",
    [
        f"model: m\napi_key: {KEY}\n",
        f"model: m\napi_key: {{env: {KEY}}}\n",
        f"model: m\nparameters: {{user: {KEY}}}\n",
        f"model: m\nbase_url: https://acme.example/{KEY}/v1\n",
    ],
)
def test_a_key_in_the_file_is_refused_and_not_repeated(written, text):
    with pytest.raises(ConfigError) as caught:
        written(text)
    assert "solver.yaml:2" in str(caught.value)
    assert KEY not in str(caught.value)
    assert "api_key: {env: NAME}" in str(caught.value)


def test_the_name_of_a_variable_in_the_place_of_a_reference_is_understood(written):
    with pytest.raises(ConfigError, match=r"Write api_key: \{env: ACME_KEY\}"):
        written("model: m\napi_key: ACME_KEY\n")


def test_a_missing_key_names_its_variable_or_file(written, monkeypatch, tmp_path):
    monkeypatch.delenv("ACME_KEY", raising=False)
    by_name = Model.of(written("model: m\napi_key: {env: ACME_KEY}\n"))
    with pytest.raises(ConfigError, match="ACME_KEY, which is not set"):
        by_name.check()
    by_name.check(replay=True)
    monkeypatch.setenv("ACME_KEY", "  k  ")
    by_name.check()
    file = tmp_path / "key"
    by_file = Model.of(written(f"model: m\napi_key: {{file: {file}}}\n"))
    with pytest.raises(ConfigError, match="missing or empty"):
        by_file.check()
    file.write_text("k2\nsomething else\n")
    by_file.check()
    assert by_file.spec.api_key.find() == "k2"


def test_a_model_is_shown_without_its_key(written, monkeypatch):
    monkeypatch.setenv("ACME_KEY", "very-secret")
    model = Model.of(written("model: m\napi_key: {env: ACME_KEY}\n"))
    assert repr(model) == f"Model('solver', m at api.openai.com, api_key=$ACME_KEY, {model.version.digest[:8]})"
    assert "very-secret" not in repr(model.spec)


def test_in_code_it_is_the_same_model(written):
    file = written("model: m\nbase_url: http://localhost:1/v1\nparameters: {temperature: 0}\n")
    code = Model("solver", model="m", base_url="http://localhost:1/v1", parameters={"temperature": 0})
    assert code.version.digest == file.version.digest
    assert code.to_async().to_sync() == code
    assert Model("m").spec.model == "m"


def test_in_code_a_key_is_refused_too():
    with pytest.raises(ConfigError) as caught:
        Model("m", api_key=KEY)
    assert KEY not in str(caught.value)


def test_files_are_found_by_name_with_near_matches(tmp_path):
    folder = tmp_path / "models"
    with pytest.raises(NotFound, match=r"none yet. Write models/solver.yaml"):
        find("solver", folder)
    folder.mkdir()
    (folder / "solver.yaml").write_text("model: m\n")
    (folder / "judge.yml").write_text("model: m\n")
    (folder / "notes.txt").write_text("")
    assert list(model_files(folder)) == ["judge", "solver"]
    assert find("judge", folder).name == "judge.yml"
    with pytest.raises(NotFound, match='Did you mean "solver"'):
        find("solvr", folder)
    with pytest.raises(NotFound, match="no name"):
        find("../secret", folder)
    (folder / "judge.yaml").write_text("model: m\n")
    with pytest.raises(ConfigError, match="Two files"):
        model_files(folder)


def test_a_file_that_is_not_there_or_no_text_is_said_so(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        read_model_file(tmp_path / "gone.yaml")
    (tmp_path / "bad.yaml").write_bytes(b"model: \xff\n")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_model_file(tmp_path / "bad.yaml")
