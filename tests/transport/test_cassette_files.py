"""A cassette says what was recorded byte for byte, is stable under git, and is refused in words when it is broken."""

from __future__ import annotations

import json
import multiprocessing
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalkit.errors import CacheError
from evalkit.exchange import Exchange
from evalkit.transport import cassette
from evalkit.transport.folder import Folder, file_name

Make = Callable[..., Exchange]

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TEXTS = st.one_of(
    st.text(),
    VALUES.map(json.dumps),
    VALUES.map(lambda value: json.dumps(value, indent=2, ensure_ascii=False) + "\n"),
    VALUES.map(lambda value: json.dumps(value, separators=(",", ":"))),
    st.lists(VALUES, max_size=3).map(lambda some: "".join(f"data: {json.dumps(one)}\n\n" for one in some)),
).map(lambda text: text.encode("utf-8", "replace").decode("utf-8"))


@given(body=TEXTS, request=TEXTS, stream=st.booleans(), trial=st.integers(1, 9), occurrence=st.integers(1, 9))
def test_what_is_read_is_what_was_written(
    make_exchange: Make, body: str, request: str, stream: bool, trial: int, occurrence: int
) -> None:
    one = make_exchange(body=body, request=request, stream=stream, trial=trial, occurrence=occurrence)
    suite, read = cassette.loads(cassette.dumps("sums", [one]), where="x.json")
    assert (suite, read) == ("sums", [one])


def test_bytes_that_are_no_text_are_kept(make_exchange: Make) -> None:
    one = make_exchange(body="/wD+", encoding="base64", content_type="audio/mpeg")
    assert cassette.loads(cassette.dumps("sums", [one]), where="x.json")[1] == [one]


def test_order_makes_no_difference_and_json_is_written_as_json(make_exchange: Make) -> None:
    some = [make_exchange(f"{n}?", case_id=f"c{n}", body='{"a": 1, "b": [1, 2]}') for n in range(5)]
    text = cassette.dumps("sums", some)
    assert text == cassette.dumps("sums", some[::-1])
    assert '      "b": [\n' in text
    assert "\\n" not in text


def test_a_change_of_one_answer_is_a_change_of_a_few_lines(make_exchange: Make) -> None:
    before = [make_exchange(f"{n}?", case_id=f"c{n}") for n in range(20)]
    after = [*before[:7], make_exchange("7?", case_id="c7", body='{"answer":5}'), *before[8:]]
    lines = [cassette.dumps("sums", some).splitlines() for some in (before, after)]
    assert len(lines[0]) == len(lines[1])
    assert sum(one != other for one, other in zip(*lines, strict=True)) == 1


def test_a_request_edited_by_hand_is_found_as_it_now_is(make_exchange: Make) -> None:
    text = cassette.dumps("sums", [make_exchange("2+2?")]).replace("2+2?", "2+3?")
    (edited,) = cassette.loads(text, where="x.json")[1]
    assert edited.key == make_exchange("2+3?").key


def broken(make: Make, change: Callable[[dict[str, Any]], None]) -> str:
    whole = json.loads(cassette.dumps("sums", [make()]))
    change(whole)
    return json.dumps(whole)


WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another format": (lambda w: w.update(format="evalkit.cassette/9"), "evalkit.cassette/9"),
    "no exchanges": (lambda w: w.pop("exchanges"), "`exchanges`, a list"),
    "a misspelled field": (lambda w: w["exchanges"][0].update(tral=1), 'Did you mean "trial"?'),
    "a field is gone": (lambda w: w["exchanges"][0].pop("url"), "it has no `url`"),
    "a trial of zero": (lambda w: w["exchanges"][0].update(trial=0), "`trial` is 0"),
    "a trial that is true": (lambda w: w["exchanges"][0].update(trial=True), "`trial` is True"),
    "a status of none": (lambda w: w["exchanges"][0]["response"].update(status=9999), "status is 9999"),
    "a header slipped in": (
        lambda w: w["exchanges"][0]["response"].update(content_type="a/b\r\nSet-Cookie: x"),
        "no line of plain text",
    ),
    "a body of a number": (lambda w: w["exchanges"][0]["response"].update(body=3), "its `body` is neither"),
    "lines that are none": (
        lambda w: w["exchanges"][0]["response"].update(body={"lines": [1]}),
        "its `body` is neither",
    ),
    "bytes that are none": (lambda w: w["exchanges"][0]["response"].update(body={"base64": "*"}), "no base64"),
    "a style of nobody": (
        lambda w: w["exchanges"][0]["response"].update(body={"json": 1, "style": "odd"}),
        "the style 'odd'",
    ),
    "a style that is a list": (
        lambda w: w["exchanges"][0]["response"].update(body={"json": 1, "style": ["compact"]}),
        "the style ['compact']",
    ),
    "a time that is none": (lambda w: w["exchanges"][0].update(recorded_at="soon"), "not a time"),
    "an endless duration": (lambda w: w["exchanges"][0].update(duration=float("inf")), "not a number of seconds"),
    "an exchange of text": (lambda w: w.update(exchanges=["x"]), "it is not an object"),
}


@pytest.mark.parametrize(("change", "said"), WRONG.values(), ids=WRONG)
def test_a_broken_cassette_says_what_is_wrong_and_where(
    make_exchange: Make, change: Callable[[dict[str, Any]], None], said: str
) -> None:
    with pytest.raises(CacheError) as caught:
        cassette.loads(broken(make_exchange, change), where="cassettes/sums.json")
    assert said in str(caught.value)
    assert caught.value.where == "cassettes/sums.json"


@pytest.mark.parametrize("text", ["", "[", "null", "[" * 100_000, '{"format": "evalkit.cassette/1"}', "\x00"])
def test_hostile_text_is_an_error_and_no_crash(text: str) -> None:
    with pytest.raises(CacheError):
        cassette.loads(text, where="x.json")


@given(VALUES)
def test_any_json_is_read_or_refused(value: Any) -> None:
    for text in (
        json.dumps(value),
        json.dumps({"format": cassette.FORMAT, "suite": "s", "exchanges": value}),
        json.dumps({"format": cassette.FORMAT, "suite": "s", "exchanges": [value]}),
    ):
        try:
            cassette.loads(text, where="x.json")
        except CacheError:
            continue
        assert value == []


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sums.json").write_bytes(b"\xff\xfe")
    with pytest.raises(CacheError, match="cannot be read"):
        Folder(tmp_path).get("x")


def test_a_folder_keeps_and_finds(tmp_path: Path, make_exchange: Make) -> None:
    folder = Folder(tmp_path / "new" / "cassettes")
    one, other = make_exchange("1?"), make_exchange("2?", suite="More Sums")
    folder.put([one, other])
    assert folder.get(one.key) == one
    assert not (tmp_path / "new").exists()
    folder.flush()
    assert sorted(file.name for file in (tmp_path / "new" / "cassettes").iterdir()) == [
        file_name("More Sums"),
        "sums.json",
    ]
    assert Folder(tmp_path / "new" / "cassettes").get(other.key) == other


def test_a_new_answer_takes_the_place_of_the_old_one_under_the_same_case(tmp_path: Path, make_exchange: Make) -> None:
    folder = Folder(tmp_path)
    folder.put([make_exchange(case_id="c1")])
    folder.flush()
    folder.put([make_exchange(case_id="c9", body='{"answer":5}')])
    folder.flush()
    (found,) = Folder(tmp_path).all()
    assert (found.case_id, found.body) == ("c1", '{"answer":5}')


@pytest.mark.parametrize("suite", ["../../evil", "a/b", "", "Größe", "con:aux", "x" * 300, "UPPER", "."])
def test_the_name_of_a_suite_never_leads_out_of_the_folder(tmp_path: Path, make_exchange: Make, suite: str) -> None:
    folder = Folder(tmp_path / "cassettes")
    folder.put([make_exchange(suite=suite)])
    folder.flush()
    (file,) = (tmp_path / "cassettes").iterdir()
    assert file.suffix == ".json"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cassettes"]
    assert [exchange.suite for exchange in Folder(tmp_path / "cassettes").all()] == [suite]


def test_names_that_differ_by_case_alone_have_files_of_their_own() -> None:
    assert len({file_name(name).lower() for name in ("sums", "Sums", "SUMS")}) == 3


def test_a_folder_that_cannot_be_written_is_an_error_in_words(tmp_path: Path, make_exchange: Make) -> None:
    (tmp_path / "cassettes").write_text("a file")
    folder = Folder(tmp_path / "cassettes")
    folder.put([make_exchange()])
    with pytest.raises(CacheError, match="cannot be written"):
        folder.flush()


def test_pruning_leaves_what_does_not_fit(tmp_path: Path, make_exchange: Make) -> None:
    folder = Folder(tmp_path)
    keep, drop = make_exchange("1?"), make_exchange("2?", model="scripted-b", suite="other")
    folder.put([keep, drop])
    folder.flush()
    assert folder.prune(model="scripted-b") == 1
    assert list(folder.all()) == [keep]
    assert [file.name for file in tmp_path.iterdir()] == ["sums.json"]


def _write(path: str, number: int, some: list[Exchange]) -> None:
    folder = Folder(Path(path))
    for exchange in some:
        folder.put([exchange])
        folder.flush()


def test_several_processes_and_threads_lose_nothing_of_each_other(tmp_path: Path, make_exchange: Make) -> None:
    lots = [[make_exchange(f"{n}-{i}?", case_id=f"c{n}-{i}") for i in range(10)] for n in range(6)]
    context = multiprocessing.get_context("spawn")
    workers: list[Any] = [context.Process(target=_write, args=(str(tmp_path), n, lots[n])) for n in range(2)]
    workers += [threading.Thread(target=_write, args=(str(tmp_path), n, lots[n])) for n in range(2, 6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert {exchange.key for exchange in Folder(tmp_path).all()} == {one.key for lot in lots for one in lot}
    assert [file.name for file in tmp_path.iterdir()] == ["sums.json"]
