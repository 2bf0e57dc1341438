"""Collects what produced a run: the code, the machine, the versions, the CI job."""

from __future__ import annotations

import getpass
import os
import platform
import re
import shlex
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from evalkit.runs import Provenance
from evalkit.version import __version__

_GIT_TIMEOUT = 5.0
_HIDDEN = "***"

_SECRET_NAME = r"(?:api[-_]?key|key|token|secret|password|passwd|pwd|credentials?|auth(?:orization)?|bearer)"  # noqa: S105 - a pattern
_SECRET_FLAG = re.compile(rf"^(--?(?:[\w.]+[-_.])*{_SECRET_NAME}(?:[-_.][\w.]+)*)(=(.*))?$", re.IGNORECASE | re.DOTALL)
_SECRET_SETTING = re.compile(rf"^((?:\w+[-_.])*{_SECRET_NAME}(?:[-_.]\w+)*)=(.*)$", re.IGNORECASE | re.DOTALL)
_SECRET_VALUE = re.compile(
    r"\b(?:sk|pk|rk)-[\w-]{8,}|\bgh[pousr]_\w{16,}|\bgithub_pat_\w{16,}|\bglpat-[\w-]{12,}|\bxox[abposr]-[\w-]{8,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}|\bAIza[\w-]{20,}|\bhf_\w{16,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|(?<=Bearer )\S+"
)
_URL_PASSWORD = re.compile(r"(://[^/@\s:]*):[^/@\s]+@")

WELL_KNOWN = frozenset((
    "ai21", "aiohttp", "anthropic", "anyio", "autogen", "azure-ai-inference", "boto3", "cohere", "crewai",
    "datasets", "deepeval", "dspy", "dspy-ai", "evaluate", "faiss-cpu", "fastembed", "google-genai",
    "google-generativeai", "google-re2", "groq", "guidance", "haystack-ai", "httpx", "huggingface-hub",
    "instructor", "jinja2", "jsonschema", "langchain", "langchain-anthropic", "langchain-core", "langchain-openai",
    "langgraph", "litellm", "llama-cpp-python", "llama-index", "llama-index-core", "mistralai", "mlx-lm", "nltk",
    "numpy", "ollama", "openai", "openai-agents", "opentelemetry-api", "opentelemetry-sdk", "outlines", "pandas",
    "pluggy", "pydantic", "pydantic-ai", "pydantic-ai-slim", "pytest", "pytest-asyncio", "pytest-evalkit",
    "pytest-xdist", "rapidfuzz", "replicate", "requests", "rouge-score", "sacrebleu", "scikit-learn", "scipy",
    "semantic-kernel", "sentence-transformers", "smolagents", "spacy", "sqlalchemy", "tiktoken", "together",
    "tokenizers", "torch", "transformers", "vertexai", "vllm", "voyageai",
))  # fmt: skip
"""Distributions whose versions are recorded wherever they are installed."""

CI_VARIABLES = (
    "CI",
    "GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_REF", "GITHUB_SHA", "GITHUB_RUN_ID", "GITHUB_RUN_NUMBER",
    "GITHUB_RUN_ATTEMPT", "GITHUB_WORKFLOW", "GITHUB_JOB", "GITHUB_ACTOR", "GITHUB_EVENT_NAME", "GITHUB_HEAD_REF",
    "GITHUB_BASE_REF", "GITHUB_SERVER_URL",
    "GITLAB_CI", "CI_PROJECT_PATH", "CI_COMMIT_SHA", "CI_COMMIT_REF_NAME", "CI_PIPELINE_ID", "CI_PIPELINE_URL",
    "CI_PIPELINE_SOURCE", "CI_JOB_ID", "CI_JOB_NAME", "CI_JOB_URL", "CI_MERGE_REQUEST_IID",
    "JENKINS_URL", "BUILD_NUMBER", "BUILD_URL", "JOB_NAME", "GIT_COMMIT", "GIT_BRANCH", "CHANGE_ID",
    "BUILDKITE", "BUILDKITE_BUILD_NUMBER", "BUILDKITE_BUILD_URL", "BUILDKITE_COMMIT", "BUILDKITE_BRANCH",
    "BUILDKITE_JOB_ID", "BUILDKITE_PIPELINE_SLUG", "BUILDKITE_PULL_REQUEST",
    "CIRCLECI", "CIRCLE_BUILD_NUM", "CIRCLE_BUILD_URL", "CIRCLE_BRANCH", "CIRCLE_SHA1", "CIRCLE_JOB",
    "CIRCLE_PROJECT_REPONAME", "CIRCLE_PULL_REQUEST", "CIRCLE_WORKFLOW_ID",
    "TF_BUILD", "BUILD_BUILDID", "BUILD_BUILDNUMBER", "BUILD_DEFINITIONNAME", "BUILD_REASON",
    "BUILD_REPOSITORY_NAME", "BUILD_SOURCEBRANCH", "BUILD_SOURCEVERSION", "SYSTEM_PULLREQUEST_PULLREQUESTID",
)  # fmt: skip
"""The variables that are recorded, of GitHub, GitLab, Jenkins, Buildkite, CircleCI and Azure; no other ever is."""

_SYSTEMS = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "BUILDKITE", "CIRCLECI", "TF_BUILD")


def collect(command: str | None = None, *, folder: Path | None = None) -> Provenance:
    """What produces a run that starts now.

    `command` is how the process was started, by default taken from `sys.argv`; what looks like a key or password
    in it is masked. Git is asked once, in `folder` or the current one; what cannot be known is `None` or empty,
    and nothing is raised.
    """
    commit, branch, dirty = _checkout(folder or Path.cwd())
    return Provenance(
        commit=commit,
        branch=branch,
        dirty=dirty,
        command=mask_command(_own_command() if command is None else command),
        python=platform.python_version(),
        platform=_platform(),
        host=socket.gethostname(),
        user=_user(),
        evalkit=__version__,
        packages=package_versions(),
        ci=ci_variables(os.environ),
    )


def _own_command() -> list[str]:
    """The words this process was started with, without the folders of the interpreter and of an installed script."""
    words = list(sys.orig_argv)
    if not words:
        return list(sys.argv)
    folder = Path(words[0]).parent
    words[0] = Path(words[0]).name
    if len(words) > 1 and Path(words[1]).is_absolute() and Path(words[1]).parent in (folder, Path(sys.prefix, "bin")):
        return [Path(words[1]).name, *words[2:]]
    return words


def git(folder: Path, *words: str) -> str | None:
    """What `git` prints in `folder`; `None` where it fails, takes too long or is not there."""
    try:
        done = subprocess.run(
            ["git", *words],
            cwd=folder,
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_GIT_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace")


def _checkout(folder: Path) -> tuple[str | None, str | None, bool | None]:
    """Commit, branch and whether tracked files differ from the commit; files git does not know do not count."""
    status = git(folder, "status", "--porcelain=v2", "--branch", "--untracked-files=no")
    if status is None:
        return None, None, None
    commit = branch = None
    dirty = False
    for line in status.splitlines():
        if line.startswith("# branch.oid "):
            commit = line.removeprefix("# branch.oid ")
        elif line.startswith("# branch.head "):
            branch = line.removeprefix("# branch.head ")
        elif not line.startswith("#"):
            dirty = True
    return (None if commit == "(initial)" else commit, None if branch == "(detached)" else branch, dirty)


def mask_command(command: str | Sequence[str]) -> str:
    """`command` as one line a shell would take, with `***` for what looks like a key, token or password.

    Masked are the values of flags and settings with such a name (`--api-key X`, `OPENAI_API_KEY=X`), passwords in
    URLs, and words shaped like the keys of well-known services.
    """
    if isinstance(command, str):
        try:
            words = shlex.split(command)
        except ValueError:  # an open quote: better masked word by word than not at all
            words = command.split()
    else:
        words = list(command)
    shown: list[str] = []
    hide_next = False
    for word in words:
        if hide_next and not word.startswith("-"):
            shown.append(_HIDDEN)
            hide_next = False
            continue
        hide_next = False
        flag, setting = _SECRET_FLAG.match(word), _SECRET_SETTING.match(word)
        if flag is not None:
            shown.append(flag[1] if flag[2] is None else f"{flag[1]}={_HIDDEN}")
            hide_next = flag[2] is None
        elif setting is not None:
            shown.append(f"{setting[1]}={_HIDDEN}")
        else:
            shown.append(_URL_PASSWORD.sub(rf"\1:{_HIDDEN}@", _SECRET_VALUE.sub(_HIDDEN, word)))
    return " ".join(_quoted(word) for word in shown)


def _quoted(word: str) -> str:
    plain = word.replace(_HIDDEN, "hidden")  # the stars alone are no reason for quotes
    return word if shlex.quote(plain) == plain else shlex.quote(word)


def package_versions(path: Sequence[str] | None = None) -> dict[str, str]:
    """The versions of the installed distributions that matter: the well-known ones and those imported by now.

    Read from the names of the `.dist-info` folders on `path`, by default `sys.path`: a listing costs a
    hundredth of what parsing everyone's metadata would.
    """
    imported = {name.partition(".")[0].lower().replace("_", "-") for name in list(sys.modules)}
    wanted = WELL_KNOWN | imported
    found: dict[str, str] = {}
    for entry in sys.path if path is None else path:
        try:
            names = os.listdir(entry or ".")  # noqa: PTH208 - names alone, no objects
        except OSError:
            continue
        for name in names:
            if not name.endswith((".dist-info", ".egg-info")):
                continue
            distribution, _, version = name.rpartition(".")[0].partition("-")
            key = re.sub(r"[-_.]+", "-", distribution).lower()
            if version and key in wanted:
                found.setdefault(key, version)
    return dict(sorted(found.items()))


def ci_variables(environment: Mapping[str, str]) -> dict[str, str]:
    """Those of `CI_VARIABLES` that are set, where a CI system says it is one; else nothing."""
    if not any(environment.get(name) for name in _SYSTEMS):
        return {}
    return {
        name: _URL_PASSWORD.sub(rf"\1:{_HIDDEN}@", environment[name]) for name in CI_VARIABLES if environment.get(name)
    }


def _platform() -> str:
    system = os.uname() if hasattr(os, "uname") else platform.uname()
    return f"{system[0]} {system[2]} {system[4]}"


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # no name for this uid, as in many containers
        return ""
