"""The tables of the store, as SQLAlchemy sees them; `docs/store.md` explains each column to its reader.

Only migrations, tests and PostgreSQL import this module: an SQLite store is made from `schema.sql`, which is
`ddl()` written to a file, so that an ordinary session never pays for importing SQLAlchemy. A test holds the two,
and the migrations, against each other. The tables of promotions and of the audit log are in `ledgertables`.

Times are ISO 8601 text in UTC, money is decimal text, booleans are 0 and 1, and columns said to be JSON are text.
A pair such as `output`, `output_blob` holds one value: in the row where it is short, else by digest in `blobs`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.schema import CreateIndex, CreateTable

from evalkit.store import guards
from evalkit.store.ledgertables import metadata as metadata


def _blob(name: str) -> Column[str]:
    return Column(name, Text, ForeignKey("blobs.digest"))


def _usage() -> list[Column[Any]]:
    return [
        Column("input_tokens", BigInteger),
        Column("output_tokens", BigInteger),
        Column("cost", Text),
        Column("cached_tokens", BigInteger),
        Column("calls", BigInteger),
        Column("uncounted", BigInteger),
        Column("unpriced", BigInteger),
        Column("saved", Text),
    ]


blobs = Table(
    "blobs",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("status", Text, nullable=False),
    Column("decision", Text),
    Column("started_at", Text, nullable=False),
    Column("finished_at", Text),
    Column("heartbeat_at", Text, nullable=False),
    Column("degraded", Text, nullable=False),
    Column("seed", Text, nullable=False),
    Column("git_commit", Text),
    Column("git_branch", Text),
    Column("git_dirty", Integer),
    Column("command", Text, nullable=False),
    Column("python", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("user_name", Text, nullable=False),
    Column("evalkit", Text, nullable=False),
    Column("packages", Text, nullable=False),
    Column("ci", Text, nullable=False),
    Column("prices", Text),
    Index(None, "started_at"),
)

datasets = Table(
    "datasets",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("source", Text),
    Column("size", Integer, nullable=False),
    Column("stored_at", Text, nullable=False),
)

cases = Table(
    "cases",
    metadata,
    Column("dataset", Text, ForeignKey("datasets.digest"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("tags", Text),
    Column("source", Text),
    Column("input", Text),
    _blob("input_blob"),
    Column("expected", Text),
    _blob("expected_blob"),
    Column("metadata", Text),
    _blob("metadata_blob"),
    UniqueConstraint("dataset", "id"),
)

suites = Table(
    "suites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("nodeid", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("dataset", Text, ForeignKey("datasets.digest"), nullable=False),
    Column("dataset_name", Text, nullable=False),
    Column("dataset_source", Text),
    Column("scorers", Text, nullable=False),
    Column("gates", Text, nullable=False),
    Column("repeat", Integer, nullable=False),
    Column("declared", Integer, nullable=False),
    Column("planned", Integer, nullable=False),
    Column("selection", Text),
    Column("selected", Text),
    Column("seed", Text, nullable=False),
    Column("metadata", Text),
    Column("passed", Integer),
    Column("missed", Integer),
    Column("errored", Integer),
    Column("unscored", Integer),
    UniqueConstraint("run_id", "name"),
    Index(None, "name"),
)

trials = Table(
    "trials",
    metadata,
    Column("suite_id", Integer, ForeignKey("suites.id"), primary_key=True, autoincrement=False),
    Column("case_id", Text, primary_key=True),
    Column("trial", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("outcome", Text, nullable=False),
    Column("started_at", Text, nullable=False),
    Column("duration", Double),
    Column("latency", Double),
    *_usage(),
    Column("trace_id", Text),
    Column("versions", Text),
    Column("nodeid", Text),
    Column("error_type", Text),
    Column("error_message", Text),
    Column("error_is_assertion", Integer),
    Column("traceback", Text),
    _blob("traceback_blob"),
    Column("output", Text),
    _blob("output_blob"),
    Column("metadata", Text),
    _blob("metadata_blob"),
)

scores = Table(
    "scores",
    metadata,
    Column("suite_id", Integer, primary_key=True, autoincrement=False),
    Column("case_id", Text, primary_key=True),
    Column("trial", Integer, primary_key=True, autoincrement=False),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Double),
    Column("label", Text),
    Column("passed", Integer),
    Column("scorer", Text, nullable=False),
    Column("scorer_version", Text, nullable=False),
    *_usage(),
    Column("error_type", Text),
    Column("error_message", Text),
    Column("error_is_assertion", Integer),
    Column("explanation", Text),
    _blob("explanation_blob"),
    Column("traceback", Text),
    _blob("traceback_blob"),
    Column("metadata", Text),
    _blob("metadata_blob"),
    ForeignKeyConstraint(
        ["suite_id", "case_id", "trial", "attempt"],
        ["trials.suite_id", "trials.case_id", "trials.trial", "trials.attempt"],
    ),
)

metrics = Table(
    "metrics",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("suite", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("statistic", Text, nullable=False),
    Column("value", Double),
    Column("unit", Text, nullable=False),
    Column("low", Double),
    Column("high", Double),
    Column("level", Double, nullable=False),
    Column("method", Text, nullable=False),
    Column("cases", Integer, nullable=False),
    Column("trials", Integer, nullable=False),
    Column("scored", Integer, nullable=False),
    Column("unscored", Integer, nullable=False),
    Column("errored", Integer, nullable=False),
    Column("slice", Text, nullable=False),
    Column("note", Text, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("run_id", Text, ForeignKey("runs.id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("suite", Text, nullable=False),
    Column("gate", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("observed", Double),
    Column("low", Double),
    Column("high", Double),
    Column("level", Double),
    Column("method", Text, nullable=False),
    Column("cases", Integer, nullable=False),
    Column("trials", Integer, nullable=False),
    Column("scored", Integer, nullable=False),
    Column("unscored", Integer, nullable=False),
    Column("errored", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("hint", Text, nullable=False),
    Column("fragile", Integer, nullable=False),
    Column("on_inconclusive", Text, nullable=False),
    Column("inputs", Text, nullable=False),
)

traces = Table(
    "traces",
    metadata,
    Column("trace_id", Text, primary_key=True),
    Column("suite_id", Integer, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("trial", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("root_span_id", Text),
    Column("start_ns", BigInteger),
    Column("end_ns", BigInteger),
    Column("status", Text, nullable=False),
    Column("n_spans", Integer, nullable=False),
    Column("n_llm", Integer, nullable=False),
    Column("n_tool", Integer, nullable=False),
    *_usage(),
    Column("normaliser", Text, nullable=False),
    Column("error", Text),
    UniqueConstraint("suite_id", "case_id", "trial", "attempt"),
    ForeignKeyConstraint(
        ["suite_id", "case_id", "trial", "attempt"],
        ["trials.suite_id", "trials.case_id", "trials.trial", "trials.attempt"],
    ),
)

spans = Table(
    "spans",
    metadata,
    Column("trace_id", Text, ForeignKey("traces.trace_id"), primary_key=True),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("span_id", Text, nullable=False),
    Column("parent_id", Text),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("start_ns", BigInteger, nullable=False),
    Column("end_ns", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("model", Text),
    Column("provider", Text),
    *_usage(),
    Column("tool_name", Text),
    Column("error", Text),
    Column("attributes", Text),
    _blob("attributes_blob"),
    Column("raw", Text),
    _blob("raw_blob"),
    Column("events", Text),
    _blob("events_blob"),
)

versions = Table(
    "versions",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("source", Text),
    Column("git_commit", Text),
    Column("author", Text),
    Column("body", Text),
    _blob("body_blob"),
    UniqueConstraint("kind", "name", "number"),
)

aliases = Table(
    "aliases",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("alias", Text, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("updated_at", Text, nullable=False),
    Column("updated_by", Text),
    ForeignKeyConstraint(["kind", "name", "digest"], ["versions.kind", "versions.name", "versions.digest"]),
)

suite_versions = Table(
    "suite_versions",
    metadata,
    Column("suite_id", Integer, ForeignKey("suites.id"), primary_key=True, autoincrement=False),
    Column("how", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("digest", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    ForeignKeyConstraint(["kind", "name", "digest"], ["versions.kind", "versions.name", "versions.digest"]),
    Index(None, "kind", "name", "digest"),
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("key", Text, primary_key=True),
    Column("method", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("trial", Integer, nullable=False),
    Column("occurrence", Integer, nullable=False),
    Column("status", Integer, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("stream", Integer, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("recorded_at", Text, nullable=False),
    Column("duration", Double),
    Column("model", Text),
    Column("suite", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("request", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index(None, "url", "recorded_at"),
)

labels = Table(
    "annotations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, ForeignKey("runs.id"), nullable=False),
    Column("suite", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("trial", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("label", Text, nullable=False),
    Column("annotator", Text, nullable=False),
    Column("at", Text, nullable=False),
    Column("chosen", Text, nullable=False),
    Column("seed", Text),
    Column("note", Text),
    Index(None, "run_id", "name"),
)

calibrations = Table(
    "calibrations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("judge", Text, nullable=False),
    Column("scorer_version", Text, nullable=False),
    Column("made_at", Text, nullable=False),
    Column("n", Integer, nullable=False),
    Column("trust", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "judge", "made_at"),
)

# Made as Alembic makes it, so that a store born here and one born of a migration are the same.
alembic_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), primary_key=True, nullable=False),
)
alembic_version.primary_key.name = "alembic_version_pkc"


def ddl(dialect: Dialect) -> str:
    """The statements that make an empty store in `dialect`, each ended by a semicolon and an empty line."""
    made: list[str] = []
    for table in [alembic_version, *metadata.sorted_tables]:
        made.append(str(CreateTable(table).compile(dialect=dialect)))
        made.extend(
            str(CreateIndex(index).compile(dialect=dialect))
            for index in sorted(table.indexes, key=lambda index: str(index.name))
        )
        made.extend(guards.statements(table.name, dialect.name))
    lines = ["\n".join(line.rstrip() for line in statement.strip().splitlines()) for statement in made]
    return ";\n\n".join(lines) + ";\n"
