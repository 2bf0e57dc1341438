"""`evalkit report --markdown`, `--metrics`, and `evalkit compare --markdown`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def test_a_stored_run_as_markdown_goes_to_standard_output(
    cli: Callable[..., Any], make_run: Callable[..., Any]
) -> None:
    run = make_run(wrong=(3,), gates=("right >= 0.99",))
    done = cli("report", "last", "--markdown")
    assert done.code == 0
    assert done.out.startswith("<!-- evalkit:sums -->\n## ❌ FAIL: `sums`\n")
    assert run.id in done.out
    assert "There was no baseline" in done.out
    assert not Path("report.html").exists()


def test_with_a_base_it_names_what_changed(cli: Callable[..., Any], make_run: Callable[..., Any]) -> None:
    first = make_run(wrong=(1,))
    make_run(wrong=(3, 4))
    assert cli("report", "last", first.id, "--markdown", "-o", "out/summary.md").code == 0
    page = Path("out/summary.md").read_text("utf-8")
    assert "**Newly failing: 2 cases**" in page
    assert "Newly passing: 1 case<" in page
    assert "2nd run" not in page or "same cases" in page


def test_two_runs_compared_as_markdown(cli: Callable[..., Any], make_run: Callable[..., Any]) -> None:
    first = make_run(wrong=(1,))
    make_run(wrong=(3, 4))
    done = cli("compare", first.id, "last", "--markdown")
    assert done.code == 0
    assert "| `right` | 0.950 | 0.900 | -0.050 |" in done.out


def test_metrics_for_gitlab_have_one_line_each(cli: Callable[..., Any], make_run: Callable[..., Any]) -> None:
    make_run(wrong=(1,), name='su"m{}s\\')
    done = cli("report", "last", "--metrics")
    assert done.code == 0
    *lines, end = done.out.splitlines()
    assert end == "# EOF"
    assert 'evalkit_metric{suite="su\\"m__s\\\\",metric="right",statistic="rate"} 0.95' in lines
    assert 'evalkit_missing{suite="su\\"m__s\\\\",metric="right"} 0' in lines
    assert len({line.rpartition(" ")[0] for line in lines}) == len(lines)


def test_forms_that_do_not_go_together_are_refused(cli: Callable[..., Any], make_run: Callable[..., Any]) -> None:
    make_run()
    assert cli("report", "last", "--markdown", "--metrics").code == 2
    assert cli("report", "last", "last", "--metrics").code == 2
    assert cli("compare", "last", "last", "--json", "--markdown").code == 2
    assert cli("compare", "last", "last", "last", "--markdown").code == 2


def test_a_place_that_cannot_be_written_is_said(cli: Callable[..., Any], make_run: Callable[..., Any]) -> None:
    make_run()
    Path("file").write_text("no folder")
    done = cli("report", "last", "--markdown", "-o", "file/summary.md")
    assert done.code != 0
    assert "cannot be written" in done.err
    assert "Traceback" not in done.err
