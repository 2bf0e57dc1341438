"""Everything of pytest's that is private and that we need, in one place.

pytest runs one item at a time, and its bookkeeping assumes it: one stack of nodes that are set up, one cached
value per fixture definition, one current capture. To have several items in flight we need

- `Stack`: a `SetupState` from which an item that is set up can be set aside and taken back,
- `own_fixtures`: function-scoped fixture definitions copied for each item, so that each has its own cached value,
- `streams` and `log_handlers`: where captured output and log records go,
- `generate`: a parametrized function's items, made by pytest, turned into ours,
- a few smaller things at the end.

CI runs the plugin's tests on the oldest and the newest pytest we name, which is what keeps this file honest.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from _pytest.fixtures import FixtureDef
from _pytest.logging import LoggingPlugin, caplog_handler_key
from _pytest.runner import SetupState, check_interactive_exception, show_test_item


class _Nodes(dict[Any, Any]):
    """The stack's nodes: whatever asks for one also finds those set aside; iteration sees the stack alone."""

    def __init__(self) -> None:
        super().__init__()
        self.aside: dict[Any, Any] = {}

    def __contains__(self, node: object) -> bool:
        return super().__contains__(node) or node in self.aside

    def __missing__(self, node: Any) -> Any:
        return self.aside[node]


class Stack(SetupState):
    """pytest's stack of set-up nodes, from which an item in flight can be set aside.

    While an item is aside its parents stay on the stack, the next item can be set up, and finalizers can still
    be added to the one aside, as a fixture requested in a test's body does.
    """

    def __init__(self) -> None:
        super().__init__()
        self._nodes = _Nodes()
        self.stack = self._nodes

    @classmethod
    def install(cls, session: pytest.Session) -> Stack:
        """Put a `Stack` in the place of the session's own, which must be empty."""
        stack = cls()
        session._setupstate = stack
        return stack

    def set_aside(self, item: pytest.Item) -> None:
        """Take `item`, the last that was set up, off the stack; does nothing where its set-up never got there."""
        if dict.__contains__(self._nodes, item):
            self._nodes.aside[item] = self._nodes.pop(item)

    def take_back(self, item: pytest.Item) -> None:
        """Put `item` back on top, ready to be torn down."""
        if item in self._nodes.aside:
            self._nodes[item] = self._nodes.aside.pop(item)


def take_down(session: pytest.Session, nextitem: pytest.Item | None) -> None:
    """Tear down what is set up and `nextitem` has no use for."""
    session._setupstate.teardown_exact(nextitem)


class _OwnFixtures(dict[str, Any]):
    """The fixture definitions of one item, by name; also those that it asks for only while it runs."""

    def __init__(self, known: Mapping[str, Sequence[FixtureDef[Any]]], item: pytest.Function) -> None:
        super().__init__({name: _copies(definitions) for name, definitions in known.items()})
        self._item = item

    def get(self, name: str, default: Any = None) -> Any:
        if name not in self:
            found = self._item.session._fixturemanager.getfixturedefs(name, self._item)
            if found is None:
                return default
            self[name] = _copies(found)
        return self[name]


def own_fixtures(item: pytest.Function) -> None:
    """Give `item` function-scoped fixture definitions of its own; wider ones stay shared."""
    item._request._arg2fixturedefs = _OwnFixtures(item._fixtureinfo.name2fixturedefs, item)  # type: ignore[misc]  # Final for type checkers only


def _copies(definitions: Sequence[FixtureDef[Any]]) -> Sequence[FixtureDef[Any]]:
    if all(definition.scope != "function" for definition in definitions):
        return definitions
    return [_copied(definition) if definition.scope == "function" else definition for definition in definitions]


def _copied(definition: FixtureDef[Any]) -> FixtureDef[Any]:
    own: FixtureDef[Any] = object.__new__(type(definition))  # copy.copy() takes three times as long
    own.__dict__.update(definition.__dict__)
    own._finalizers = []  # type: ignore[misc]  # Final for type checkers only
    own.cached_result = None
    return own


def item_of(request: pytest.FixtureRequest) -> pytest.Item:
    """The item on whose behalf a fixture of any scope is being set up."""
    return request._pyfuncitem


def arguments_of(item: pytest.Function) -> dict[str, Any]:
    """What the test function is to be called with, after set-up."""
    return {name: item.funcargs[name] for name in item._fixtureinfo.argnames}


def renew_request(item: pytest.Function) -> None:
    """A fresh request for an item that already ran once in this session."""
    if not item._request:
        item._initrequest()


def drop_request(item: pytest.Function) -> None:
    """Let go of the item's request and fixture values, as pytest does after teardown."""
    item._request = False  # type: ignore[assignment]  # as pytest itself does
    item.funcargs = None  # type: ignore[assignment]  # as pytest itself does


def report_of(item: pytest.Item, call: pytest.CallInfo[Any], hook: Any) -> pytest.TestReport:
    """Pytest's report on one phase of `item`, whose hooks are `hook`.

    Made again where Python said that its parser lost count: pytest parses the source to show where it failed, and a
    body that does the same in a thread, as by logging a traceback, disturbs it (python/cpython#106905).
    """
    for _ in range(20):
        try:
            return _report_of(item, call, hook)
        except SystemError as error:
            if "AST constructor" not in str(error):
                raise
    return _report_of(item, call, hook)


def _report_of(item: pytest.Item, call: pytest.CallInfo[Any], hook: Any) -> pytest.TestReport:
    report: pytest.TestReport = hook.pytest_runtest_makereport(item=item, call=call)
    return report


def generate(collector: Any, name: str, function: Any, kind: type[pytest.Function]) -> list[Any]:
    """The items of a parametrized function, made by pytest and turned into `kind`.

    The class is changed rather than the items made anew: pytest's own code for it is long, differs from
    version to version, and needs nothing of ours.
    """
    items = list(collector._genfunctions(name, function))
    for item in items:
        item.__class__ = kind
    return items


def outer_id(item: pytest.Function) -> str:
    """The part of the item's id that stands before the case: the user's own parameters, `''` where none."""
    return "-".join(item.callspec._idlist[:-1])


def wide_parameters(item: pytest.Function) -> tuple[Any, ...]:
    """Which values of parametrized fixtures wider than a function the item runs with."""
    spec = item.callspec
    return tuple((name, spec.indices[name]) for name, scope in spec._arg2scope.items() if scope.value != "function")


class Stream:
    """A text stream that gives what a body in flight writes to that body, and all else to `target`."""

    def __init__(self, target: Any, write: Callable[[str], bool]) -> None:
        self._target = target
        self._divert = write

    def write(self, text: str) -> int:
        """Write `text` to the body in flight, or to the target."""
        if self._divert(text):
            return len(text)
        written: int = self._target.write(text)
        return written

    def writelines(self, lines: Iterator[str]) -> None:
        """Write each of `lines`."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._target, name)


def divert_streams(config: pytest.Config, out: Callable[[str], bool], err: Callable[[str], bool]) -> None:
    """Have what Python code writes to stdout and stderr offered to `out` and `err` first.

    Both of the objects that pytest's capture switches between become `Stream`s, since a thread may write at
    any time. With `-s` there is no capture, and output goes straight to the terminal.
    """
    manager = config.pluginmanager.get_plugin("capturemanager")
    capturing = getattr(manager, "_global_capturing", None)
    for channel, divert in ((getattr(capturing, "out", None), out), (getattr(capturing, "err", None), err)):
        system = getattr(channel, "syscapture", channel)  # fd capture has a sys capture inside
        tmpfile = getattr(system, "tmpfile", None)
        if system is None or tmpfile is None or isinstance(tmpfile, Stream):
            continue
        system._old = Stream(system._old, divert)
        if system is not channel:  # sys capture reads its tmpfile itself and wants it as it is
            system.tmpfile = Stream(tmpfile, divert)
        else:
            _divert_in_place(tmpfile, divert)
    if manager is not None and capturing is not None:
        manager.suspend_global_capture(in_=False)
        manager.resume_global_capture()


def _divert_in_place(tmpfile: Any, divert: Callable[[str], bool]) -> None:
    write = tmpfile.write
    tmpfile.write = lambda text: len(text) if divert(text) else write(text)


def logging_plugin(config: pytest.Config) -> LoggingPlugin | None:
    """The logging plugin of pytest, `None` with `-p no:logging`."""
    plugin: LoggingPlugin | None = config.pluginmanager.get_plugin("logging-plugin")
    return plugin


def item_handlers(config: pytest.Config) -> list[logging.Handler]:
    """The handlers with which pytest collects log records during a phase of an item."""
    plugin = logging_plugin(config)
    return [] if plugin is None else [plugin.caplog_handler, plugin.report_handler]


def give_caplog(item: pytest.Item, handler: Any) -> None:
    """Have the `caplog` fixture of `item` read from `handler`."""
    item.stash[caplog_handler_key] = handler


def interactive(call: pytest.CallInfo[Any], report: pytest.TestReport) -> bool:
    """Whether pytest would offer this failure to a debugger."""
    return check_interactive_exception(call, report)


def show_item(item: pytest.Item) -> None:
    """The line of `--setup-show` that names an item; pytest 9 wants to know about the space after it."""
    try:
        show_test_item(item, add_space=True)  # type: ignore[call-arg, unused-ignore]  # differs between versions
    except TypeError:
        show_test_item(item)  # type: ignore[call-arg, unused-ignore]  # differs between versions


def remember_failures(config: pytest.Config, nodeids: Sequence[str], *, forget: Sequence[str]) -> None:
    """Have `--lf` run `nodeids` next time, and not look for `forget`, which are no items."""
    plugin = config.pluginmanager.get_plugin("lfplugin")
    known = getattr(plugin, "lastfailed", None)
    if known is None:
        return
    known.update(dict.fromkeys(nodeids, True))
    gone = set(forget)
    for key in [key for key in known if str(key) in gone]:
        known.pop(key)


def failed_last_time(item: pytest.Item) -> bool:
    """Whether `--lf` would run the item; from pytest 9.2 on it knows items by an id that is no text."""
    known = getattr(item.config.pluginmanager.get_plugin("lfplugin"), "lastfailed", ())
    return getattr(item, "id", item.nodeid) in known or item.nodeid in known


def count_items(session: pytest.Session, more: int) -> Callable[[], None]:
    """Add results that are no items to what the progress percentage counts.

    What it returns does so again, for xdist sets the number anew with every worker that has collected.
    """
    count = session.testscollected + more

    def again() -> None:
        session.testscollected = max(session.testscollected, count)

    again()
    return again


def forget_silent_phases(config: pytest.Config) -> None:
    """Have pytest's summary not look at set-ups and teardowns that went well and said nothing.

    It looks through all of them for each failure, which takes minutes where thousands of cases missed. `--durations`
    needs them.
    """
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or getattr(config.option, "durations", None) is not None:
        return
    phases = reporter.stats.get("", ())
    if phases:
        reporter.stats[""] = [report for report in phases if getattr(report, "sections", ())]


def name_junit_failure(config: pytest.Config, report: pytest.TestReport, kind: str) -> None:
    """Give the failure of `report` in the JUnit file a `type`, which pytest leaves out."""
    from _pytest.junitxml import xml_key

    xml = config.stash.get(xml_key, None)
    if xml is None:
        return
    for node in xml.node_reporter(report).nodes:
        if node.tag == "failure":
            node.set("type", kind)


def redact_report(report: pytest.TestReport, redact: Callable[[str], str]) -> None:
    """Blot secrets out of what pytest is about to show of an item: why it failed, and what it printed and logged.

    A failure that had one is shown as plain text, without pytest's colours.
    """
    if report.failed:
        text = report.longreprtext
        clean = redact(text)
        if clean is not text:
            report.longrepr = clean
    if report.sections:
        report.sections = [(title, redact(text)) for title, text in report.sections]
