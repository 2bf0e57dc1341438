"""The summary of a run as Markdown: for a comment on a pull request, or for the summary of a CI job."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

from evalkit import asides
from evalkit.attempts import attempts
from evalkit.comparison import Comparison, compare
from evalkit.figures import count, duration
from evalkit.runs import Run, SuiteRun, Verdict, worst
from evalkit.spending import spent_line
from evalkit_reports.attempts import last_attempts
from evalkit_reports.fingerprint import fingerprint
from evalkit_reports.headline import banners, headline
from evalkit_reports.markdown import neutral
from evalkit_reports.markdown.fitting import COMMENT, Detail, fitting
from evalkit_reports.markdown.states import SHAPES, stated
from evalkit_reports.markdown.suite import section

MARK = "evalkit"
_MOST_REASONS = 5
_MOST_BANNERS = 6
_NAMES = 3
_LONGEST_MARKER = 400


def render_markdown(
    run: Run,
    *,
    baseline: Run | None = None,
    earlier: Mapping[str, int] = MappingProxyType({}),
    report: str | None = None,
    limit: int = COMMENT,
) -> str:
    """The summary of `run` in at most `limit` bytes of UTF-8 (16 KiB at least), ending with a line end.

    `baseline` is the run to compare with; without one, nothing is said to be new. `earlier` counts the earlier runs of
    each suite on the same commit and cases (`Store.earlier_runs`). `report` is where the HTML report is, as the reader
    should see it. Nothing of what was asked or answered is in it but ids, names, errors and the text of prompts, and
    no text of others does anything: no mention, link, image, HTML or command.
    """
    run = last_attempts(run)
    comparison = None if baseline is None else compare(last_attempts(baseline), run, p_values=False)

    def render(detail: Detail) -> str:
        lines = _page(run, comparison, detail, earlier=earlier, report=report)
        return "\n".join(lines).encode("utf-8", "backslashreplace").decode("utf-8") + "\n"

    return fitting(render, limit, len(run.suites))


def marker(run: Run) -> str:
    """The comment by which a script finds the earlier summary of the same suites, to put this one in its place."""
    text = neutral.comment(MARK, sorted(suite.info.name for suite in run.suites))
    if len(text) <= _LONGEST_MARKER:
        return text
    from evalkit.canonical import digest

    return neutral.comment(MARK, [f"{len(run.suites)}-{digest(text)[:16]}"])


def _page(
    run: Run, comparison: Comparison | None, detail: Detail, *, earlier: Mapping[str, int], report: str | None
) -> Iterator[str]:
    found = headline(run)
    yield marker(run)
    yield f"## {stated(found.state, found.word)}: {_title(run)}"
    yield from ("", neutral.prose(found.sentence))
    yield from _reasons(run, detail)
    told = banners(run)
    for banner in told[:_MOST_BANNERS]:
        yield from ("", f"> **{neutral.prose(banner.word)}**: {neutral.prose(banner.text, detail.length)}")
    if len(told) > _MOST_BANNERS:
        yield from ("", f"> {len(told) - _MOST_BANNERS:,} more")
    yield from _suites(run, comparison, detail)
    yield from _closing(run, comparison, earlier)
    yield from ("", _footer(run, report))


def _title(run: Run) -> str:
    names = [neutral.code(suite.info.name, 80) for suite in run.suites]
    rest = len(names) - _NAMES
    return ", ".join(names[:_NAMES]) + (f" and {count(rest, 'more suite')}" if rest > 0 else "") or "no suite"


def _reasons(run: Run, detail: Detail) -> Iterator[str]:
    several = len(run.suites) > 1
    unmet = [verdict for verdict in run.verdicts if verdict.decision != "pass"]
    unmet.sort(key=lambda verdict: verdict.decision != "fail")
    if unmet:
        yield ""
    for verdict in unmet[:_MOST_REASONS]:
        yield f"- {SHAPES[verdict.decision]} {_gate(verdict, several)}: {_why(verdict, detail)}"
    if len(unmet) > _MOST_REASONS:
        yield f"- {count(len(unmet) - _MOST_REASONS, 'more gate')}"


def _gate(verdict: Verdict, several: bool) -> str:
    suite = f"{neutral.code(verdict.suite, 80)} " if several else ""
    return suite + neutral.code(verdict.gate, 160)


def _why(verdict: Verdict, detail: Detail) -> str:
    accepted = ""
    if verdict.decision == "inconclusive" and verdict.on_inconclusive != "fail":
        accepted = " It counts as a pass here." if verdict.on_inconclusive == "pass" else " It is a warning here."
    parts = [part for part in (verdict.reason, verdict.hint) if part]
    return neutral.prose(" ".join(parts), detail.length) + accepted


def _suites(run: Run, comparison: Comparison | None, detail: Detail) -> Iterator[str]:
    compared = {} if comparison is None else {one.name: one for one in comparison.suites}
    shown: Sequence[SuiteRun] = run.suites
    if detail.suites is not None:
        shown = sorted(run.suites, key=lambda suite: _rank(run, suite))[: detail.suites]
    for suite in shown:
        if len(run.suites) == 1:
            yield ""
        yield from section(run, suite, compared.get(suite.info.name), detail, named=len(run.suites) > 1)
    hidden = len(run.suites) - len(shown)
    if hidden:
        yield from ("", f"{count(hidden, 'more suite')}, left out as this text may be only so long.")


def _rank(run: Run, suite: SuiteRun) -> int:
    state = worst([verdict for verdict in run.verdicts if verdict.suite == suite.info.name])
    return ("fail", "inconclusive", None, "pass").index(state)


def _closing(run: Run, comparison: Comparison | None, earlier: Mapping[str, int]) -> Iterator[str]:
    """Money and tokens, the baseline, how often this was tried before, and what chance alone would do."""
    took = None if run.finished_at is None else duration((run.finished_at - run.started_at).total_seconds())
    spent = spent_line(run.usage())
    if spent or took:
        told = [spent[:1].upper() + spent[1:], f"took {took}" if took else ""]
        yield from ("", neutral.prose("; ".join(part for part in told if part)) + ".")
    if comparison is None:
        yield from ("", "There was no baseline to compare with, so nothing here is said to be new.")
    else:
        base = comparison.base
        commit = f", commit {neutral.code(base.provenance.commit[:12])}" if base.provenance.commit else ""
        gone = [one.name for one in comparison.suites if one.refused == "only the base has this suite"]
        text = f"Compared with the baseline {neutral.code(base.id)}{commit}"
        if gone:
            text += f", which also has {count(len(gone), 'suite')} that did not run here"
        yield from ("", f"{text}.")
    note = asides.by_chance(run.verdicts)
    said = [*attempts(run, earlier), *([f"Of {count(len(run.verdicts), 'gate')}, {note}"] if note else [])]
    for sentence in said[:_MOST_BANNERS]:
        yield from ("", neutral.prose(sentence))


def _footer(run: Run, report: str | None) -> str:
    parts = [f"run {neutral.code(run.id)}"]
    if run.provenance.commit:
        parts.append(f"commit {neutral.code(run.provenance.commit[:12])}")
    parts.append(f"fingerprint {neutral.code(fingerprint(run))}")
    address = job_address(run.provenance.ci)
    if address:
        parts.append(neutral.link("CI job", address))
    if report:
        parts.append(f"report {neutral.code(report, 200)}")
    return " · ".join(parts)


def job_address(ci: Mapping[str, str]) -> str | None:
    """Where the CI job that made the run can be looked at, `None` where that is not known."""
    if ci.get("GITHUB_RUN_ID") and ci.get("GITHUB_REPOSITORY"):
        server = ci.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{ci['GITHUB_REPOSITORY']}/actions/runs/{ci['GITHUB_RUN_ID']}"
    return ci.get("CI_JOB_URL") or ci.get("CI_PIPELINE_URL")
