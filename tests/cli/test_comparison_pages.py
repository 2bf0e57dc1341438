"""`evalkit compare … --html` and `evalkit report RUN BASE`: the page that compares runs."""

from __future__ import annotations


def test_report_with_a_base_compares_the_run_with_it(cli, make_run, project):
    base, run = make_run(), make_run(wrong=range(12))
    done = cli("report", run.id, base.id, "-o", "compare.html")
    assert done.code == 0, done.err
    assert done.out.startswith("compare.html (")
    page = (project / "compare.html").read_text("utf-8")
    assert "<title>WORSE · sums: 2 runs compared</title>" in page
    assert page.index(base.id) < page.index(run.id, page.index("<main>")), "the base stands first"


def test_compare_writes_a_page_beside_what_it_prints(cli, make_run, project):
    runs = [make_run(wrong=range(n), cases=30) for n in (12, 6, 0)]
    done = cli("compare", *(run.id for run in runs), "--html", "out/three.html")
    assert done.code == 0, done.err
    assert "Holm's p" in done.out
    assert "2 CANDIDATES" in (project / "out/three.html").read_text("utf-8")


def test_json_stays_json_with_a_page(cli, make_run, project):
    base, run = make_run(), make_run(wrong=(1,))
    done = cli("compare", base.id, run.id, "--json", "--html", "c.html")
    assert done.json()["candidate"] == run.id
    assert "c.html (" in done.err


def test_runs_that_cannot_be_compared_leave_a_page_that_says_why(cli, make_run, project):
    base, run = make_run(cases=20), make_run(cases=21)
    done = cli("compare", base.id, run.id, "--html", "c.html")
    assert done.code == 2
    assert "cannot be compared" in done.err
    page = (project / "c.html").read_text("utf-8")
    assert "NOT COMPARED" in page
    assert "the datasets are two versions" in page


def test_metrics_are_of_one_run(cli, make_run):
    base, run = make_run(), make_run()
    done = cli("report", run.id, base.id, "--metrics")
    assert done.code == 2
    assert "--metrics are those of one run" in done.err
