"""The settings there are: the one table from which keys, variables, flags and their documentation are made."""

from __future__ import annotations

from evalkit.setting import Setting

DEFAULT_STORE = ".evalkit/evalkit.db"

SETTINGS: tuple[Setting, ...] = (
    Setting(
        name="store",
        kind="text",
        default=DEFAULT_STORE,
        metavar="URL",
        doc="Where runs are kept: a database URL or a path, which a flag takes from the current folder, "
        "anything else from the project's root.",
    ),
    Setting(
        name="repeat",
        kind="whole",
        default=None,
        metavar="N",
        minimum=1,
        doc="How often each case is tried, for every suite; unset, each suite's own `repeat` decides.",
    ),
    Setting(
        name="max_concurrency",
        kind="whole",
        default=16,
        metavar="N",
        minimum=1,
        doc="How many trials are in flight at once, where a suite does not say.",
    ),
    Setting(
        name="gates",
        kind="lines",
        default=(),
        metavar="GATE",
        doc="Gates for every suite, on top of its own. `[tool.evalkit.gates]` instead has them by suite, `*` for all.",
    ),
    Setting(
        name="baseline",
        kind="text",
        default=None,
        metavar="RUN",
        doc="The stored run to compare with: an id or the beginning of one, `last`, or `SUITE@last`; or "
        "`alias:production`, what is in force under an alias. Gates against a baseline need one.",
    ),
    Setting(
        name="report",
        kind="text",
        default=None,
        metavar="PATH",
        doc="Where an HTML report is written when a run ends; unset, none is.",
    ),
    Setting(
        name="markdown",
        kind="text",
        default=None,
        metavar="PATH|github",
        doc="Where a Markdown summary is written when a run ends, for a pull request; `github` adds it to the summary "
        "of the step of GitHub Actions, and does nothing elsewhere.",
    ),
    Setting(
        name="annotations",
        kind="choice",
        default="auto",
        metavar="auto|off",
        choices=("auto", "off"),
        doc="Whether the log of GitHub Actions gets a line for each of the ten worst results, which it shows beside "
        "the suite's code.",
    ),
    Setting(
        name="inconclusive",
        kind="choice",
        default="fail",
        metavar="fail|warn",
        choices=("fail", "warn"),
        doc="What a gate without a decision does to the session: fail it, or only warn.",
    ),
    Setting(
        name="sample",
        kind="whole",
        default=None,
        metavar="N",
        minimum=1,
        doc="Run only N cases of each suite, drawn by the seed. Such a run is partial.",
    ),
    Setting(
        name="seed",
        kind="whole",
        default=0,
        metavar="N",
        minimum=0,
        doc="The seed of everything that is drawn at random.",
    ),
    Setting(
        name="timeout",
        kind="seconds",
        default=None,
        metavar="SECONDS",
        doc="How long one trial may take, where a suite does not say; unset, as long as it likes.",
    ),
    Setting(
        name="stop",
        kind="choice",
        default=None,
        metavar="never|decided|anytime",
        choices=("never", "decided", "anytime"),
        doc="When suites may stop before their last case: never, once their gates are decided whatever is left would "
        "bring, or once it is as good as certain; unset, each suite's own `stop` decides.",
    ),
    Setting(
        name="prompts",
        kind="text",
        default="prompts",
        metavar="PATH",
        doc="The folder of prompt files, from the project's root.",
    ),
    Setting(
        name="models",
        kind="text",
        default="models",
        metavar="PATH",
        doc="The folder of model files, from the project's root.",
    ),
    Setting(
        name="use_prompts",
        kind="lines",
        default=(),
        metavar="NAME=VERSION",
        doc="Versions of prompts to run with, instead of the files: `v2`, the beginning of a digest, or an alias.",
    ),
    Setting(
        name="use_models",
        kind="lines",
        default=(),
        metavar="NAME=VERSION",
        doc="Versions of models to run with, instead of the files: `v2`, the beginning of a digest, or an alias.",
    ),
    Setting(
        name="cache",
        kind="choice",
        default="off",
        metavar="off|read-write|replay|refresh",
        choices=("off", "read-write", "replay", "refresh"),
        doc="What is done with recorded answers of models: nothing, use and add, use and never call, or record anew.",
    ),
    Setting(
        name="cassettes",
        kind="text",
        default=None,
        metavar="PATH",
        doc="The folder where recorded answers are kept as files, for git; unset, they are kept in the store.",
    ),
    Setting(
        name="max_cost",
        kind="money",
        default=None,
        metavar="USD",
        doc="The most that a run may cost, in US dollars. Nothing more is started once the next trial could exceed it, "
        "and the run is partial.",
    ),
    Setting(
        name="estimate",
        kind="switch",
        default=False,
        metavar="",
        doc="Say what the run would cost, judging by earlier runs, and run nothing.",
    ),
    Setting(
        name="capture",
        kind="choice",
        default="content",
        metavar="content|metadata|off",
        choices=("content", "metadata", "off"),
        doc="What traces keep of model calls: messages too, only names, times and tokens, or no traces at all.",
    ),
    Setting(
        name="redact",
        kind="lines",
        default=(),
        metavar="PATTERN",
        doc="Regular expressions (RE2) of what must not be stored, beside the keys and passwords that are known.",
    ),
    Setting(
        name="changed",
        kind="text",
        default=None,
        metavar="REF",
        doc="Run only the suites that may come out differently since this branch left REF, such as `origin/main`: git "
        "says which prompts, models, datasets and other files are changed.",
    ),
    Setting(
        name="shard",
        kind="shard",
        default=None,
        metavar="I/N",
        doc="Run only the I-th of N parts of the cases, each on a machine of its own, and write them to a bundle; "
        "gates are decided when `evalkit merge` makes one run of all bundles.",
    ),
    Setting(
        name="bundle",
        kind="text",
        default=None,
        metavar="PATH",
        doc="The file that a shard is written to; unset, it is in `.evalkit/shards`, named by the run and the shard.",
    ),
    Setting(
        name="resume",
        kind="text",
        default=None,
        metavar="RUN|last",
        doc="Go on with a run that broke off: run what is missing of it or errored, and nothing else.",
    ),
    Setting(
        name="retry_errors",
        kind="whole",
        default=0,
        metavar="N",
        minimum=0,
        doc="How often a trial is attempted again that failed for the network or the provider: a connection, a "
        "timeout, 429 or 5xx. Never for an assertion or a mistake in the code.",
    ),
    Setting(
        name="off",
        kind="switch",
        default=False,
        metavar="",
        doc="Leave suites out of the session altogether: they are not collected.",
    ),
)
