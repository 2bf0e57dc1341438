"""Scorers of machine translation and summaries: n-grams that output and references share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from evalkit.errors import MissingExtra
from evalkit.score import Score, Scorer, factory, scorer
from evalkit_scorers.options import choice, number
from evalkit_scorers.similarity import within
from evalkit_scorers.wording import NO_EXPECTED, NO_OUTPUT, references_of, text_of, unscored

Tokenize = Literal["13a", "intl", "char", "none", "zh"]
Rouge = Literal["rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum"]
_ROUGES = ("rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum")


@factory
def bleu(*, tokenize: Tokenize = "13a", lowercase: bool = False, max_chars: int = 100_000) -> Scorer:
    """Sentence BLEU of the output against one or several references: a score from 0 to 1.

    The geometric mean of the precisions of 1- to 4-grams times a brevity penalty (Papineni et al. 2002,
    https://aclanthology.org/P02-1040), computed by sacreBLEU (Post 2018, https://aclanthology.org/W18-6319) with
    exponential smoothing and effective order, divided by 100. It is the BLEU of one sentence: the mean over cases
    is not corpus BLEU. `tokenize` is sacreBLEU's; `lowercase` puts both in lower case. A list in `expected` is a
    list of references.

    Edge cases: no output and the empty output are 0; without an expected value the case is unscored; a text
    longer than `max_chars` raises `ValueError`. Needs the extra `text`.
    """
    choice("bleu", "tokenize", tokenize, ("13a", "intl", "char", "none", "zh"))
    try:
        from sacrebleu.metrics.bleu import BLEU
    except ImportError:
        raise MissingExtra("sacrebleu", "text", needed_for="bleu") from None
    metric = BLEU(tokenize=tokenize, lowercase=lowercase, effective_order=True)
    config = {"tokenize": tokenize, "lowercase": lowercase}
    return _overlap("bleu", config, lambda said, wanted: metric.sentence_score(said, wanted).score / 100, max_chars)


@factory
def chrf(
    *,
    char_order: int = 6,
    word_order: int = 0,
    beta: int = 2,
    lowercase: bool = False,
    max_chars: int = 100_000,
) -> Scorer:
    """Sentence chrF of the output against one or several references: a score from 0 to 1.

    The F-score (recall `beta` times as important as precision) over the 1- to `char_order`-grams of characters,
    white space left out (Popović 2015, https://aclanthology.org/W15-3049), computed by sacreBLEU, divided by 100.
    `word_order=2` makes it chrF++ (Popović 2017); `lowercase` puts both in lower case. It needs no tokeniser, so
    it suits every language. A list in `expected` is a list of references, of which the best counts.

    Edge cases as in `bleu`. Needs the extra `text`.
    """
    number("chrf", "char_order", char_order, least=1, whole=True)
    number("chrf", "word_order", word_order, whole=True)
    number("chrf", "beta", beta, least=1, whole=True)
    try:
        from sacrebleu.metrics.chrf import CHRF
    except ImportError:
        raise MissingExtra("sacrebleu", "text", needed_for="chrf") from None
    metric = CHRF(char_order=char_order, word_order=word_order, beta=beta, lowercase=lowercase)
    config = {"char_order": char_order, "word_order": word_order, "beta": beta, "lowercase": lowercase}
    return _overlap("chrf", config, lambda said, wanted: metric.sentence_score(said, wanted).score / 100, max_chars)


@factory
def rouge(
    kind: Rouge = "rougeL",
    *,
    measure: Literal["f1", "precision", "recall"] = "f1",
    stem: bool = False,
    max_chars: int = 20_000,
) -> Scorer:
    """ROUGE of the output against one or several references: a score from 0 to 1.

    `kind` is `rouge1` to `rouge3`, which count n-grams in common, `rougeL`, the longest common subsequence of
    words, or `rougeLsum`, the same line by line (Lin 2004, https://aclanthology.org/W04-1013), computed by
    Google's rouge-score; `measure` takes its F1, precision or recall. `stem` applies the Porter stemmer. Words
    are runs of ASCII letters and digits in lower case, so other scripts score 0: use `chrf` there. Of a list in
    `expected` the best text counts.

    Edge cases as in `bleu`; two texts without words are 0. Needs the extra `text`.
    """
    choice("rouge", "kind", kind, _ROUGES)
    choice("rouge", "measure", measure, ("f1", "precision", "recall"))
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise MissingExtra("rouge-score", "text", needed_for="rouge") from None
    metric = RougeScorer([kind], use_stemmer=stem)
    field = {"f1": "fmeasure"}.get(measure, measure)

    def best(said: str, references: Sequence[str]) -> float:
        return max(float(getattr(metric.score(wanted, said)[kind], field)) for wanted in references)

    return _overlap("rouge", {"kind": kind, "measure": measure, "stem": stem}, best, max_chars)


def _overlap(name: str, config: dict[str, Any], share: Callable[[str, Sequence[str]], float], max_chars: int) -> Scorer:
    number(name, "max_chars", max_chars, least=1, whole=True)

    @scorer(name=name, version="1", config=config, requires_expected=True)
    def score(output: Any, expected: Any) -> Score | float:
        references = references_of(expected, name)
        if not references:
            return unscored(NO_EXPECTED)
        said = text_of(output, name)
        if said is None:
            return Score(value=0.0, explanation=NO_OUTPUT)
        for text in (said, *references):
            within(text, max_chars, name)
        return min(1.0, max(0.0, share(said, references)))

    return score
