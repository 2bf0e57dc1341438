"""How keys and tokens look, wherever they came from."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

_BARE = r"""(?x)
    (?<![A-Za-z0-9_-])(?:
      sk[-_][A-Za-z0-9_-]{16,}              # OpenAI, Anthropic, Stripe and many that follow them
    | (?:rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}
    | gh[pousr]_[A-Za-z0-9]{20,} | github_pat_[A-Za-z0-9_]{20,} | glpat-[A-Za-z0-9_-]{16,}
    | (?:AKIA|ASIA)[A-Z0-9]{16}
    | AIza[A-Za-z0-9_-]{30,}
    | (?:hf|gsk|r8|npm)_[A-Za-z0-9]{20,} | pypi-[A-Za-z0-9_-]{20,}
    | xox[abeoprs]-[A-Za-z0-9-]{10,}
    | evk_[0-9a-f]{16,} | whsec_[A-Za-z0-9+/]{16,}={0,2}   # evalkit's own, and secrets of webhooks
    | eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}
    )
    """
_PRIVATE = r"(?s)-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?(?:-----END \1-----|\Z)"
_SCHEME = r"\b([Bb]earer|BEARER|[Bb]asic|BASIC)(\s+)([A-Za-z0-9._~+/=-]{12,})"
_HEADER = r"""(?ix)
    \b((?:proxy-)?authorization | (?:x-)?(?:goog-)?api[-_]?key | x-auth-token | (?:set-)?cookie)
    (\\?["']?\s*[:=]\s*\[?\(?\\?["']?)
    ((?:[a-z]{3,10}\s+)?) ([A-Za-z0-9._~+/=%:;-]{8,})
    """
_DIGIT = re.compile("[0-9]")
_MIXED = re.compile("[a-z].*[A-Z]")
_IN_URL = r"(://[^/@:\s\"']*:)([^/@\s\"']{3,})(?=@)"

PREFILTER = (
    r"sk[-_][A-Za-z0-9_-]{16}|[rp]k_(?:live|test)_|gh[pousr]_[A-Za-z0-9]{20}|github_pat_|glpat-|A[KS]IA[A-Z0-9]{16}"
    r"|AIza[A-Za-z0-9_-]{30}|(?:hf|gsk|r8|npm)_[A-Za-z0-9]{20}|pypi-[A-Za-z0-9_-]{20}|xox[abeoprs]-"
    r"|evk_[0-9a-f]{16}|whsec_[A-Za-z0-9+/]{16}"
    r"|eyJ[A-Za-z0-9_-]{8}|PRIVATE KEY|(?i:bearer|basic)\s+[A-Za-z0-9._~+/=-]{12}"
    r"|(?i:authorization|api[-_]?key|auth-token|cookie)\\?[\"']?\s*[:=]|://[^/@:\s]*:[^/@\s]+@"
)
"""Fits every text that one of the patterns above fits, in RE2's syntax, which reads long texts ten times as fast."""

_PATTERNS: tuple[tuple[tuple[str, ...], str, str, int], ...] = (
    (
        ("sk-", "sk_", "k_live_", "k_test_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "AKIA",
         "ASIA", "AIza", "hf_", "gsk_", "r8_", "npm_", "pypi-", "xox", "evk_", "whsec_", "eyJ"),
        _BARE, "key", 0,
    ),
    (("PRIVATE KEY",), _PRIVATE, "private key", 0),
    (("earer", "EARER", "asic", "ASIC"), _SCHEME, "token", 3),
    (("uth", "UTH", "ey", "EY", "ook", "OOK"), _HEADER, "header", 4),
    (("://",), _IN_URL, "password", 2),
)  # fmt: skip
"""What has to be in a text for a pattern to be tried, the pattern, what it finds, and the group that is blotted out."""


def without_shapes(text: str, mark: Callable[[str], str]) -> str:
    """`text` without what looks like a key, a token or a password; `mark` gives what stands there instead."""
    for anchors, pattern, kind, group in _PATTERNS:
        for anchor in anchors:
            if anchor in text:
                text = _blotted(text, pattern, mark(kind), group)
                break
    return text


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)  # when it is first needed: most sessions need none


def _blotted(text: str, pattern: str, mark: str, group: int) -> str:
    def replaced(found: re.Match[str]) -> str:
        secret = found[group]
        if pattern == _BARE:
            known = _DIGIT.search(secret)  # which tells a key from words joined by hyphens
        elif pattern in (_HEADER, _SCHEME):
            known = _DIGIT.search(secret) or _MIXED.search(secret)
        else:
            known = found
        if known is None:
            return found[0]
        at = found.start(group) - found.start()
        return found[0][:at] + mark + found[0][at + len(secret) :]

    made = _compiled(pattern).sub(replaced, text)
    return text if made == text else made
