"""Built-in scorers: small functions that make a scorer each; `evalkit_scorers.exact_match()` is one.

Importing this package loads none of them, and no scorer loads a heavy library before it is made.

PYTEST_DONT_REWRITE
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evalkit.contents import contents

if TYPE_CHECKING:
    from evalkit_scorers.choices import label_match, multiple_choice
    from evalkit_scorers.combinators import all_of, any_of, not_, weighted
    from evalkit_scorers.execution import code_execution
    from evalkit_scorers.fields import on
    from evalkit_scorers.judges.builtin import (
        answer_relevance,
        code_equivalence,
        completeness,
        conciseness,
        context_relevance,
        context_sufficiency,
        conversation_completeness,
        correctness,
        faithfulness,
        harmfulness,
        instruction_following,
        json_equivalence,
        plan_adherence,
        refusal,
        role_adherence,
        sql_equivalence,
        summarisation,
        tone,
        tool_call_quality,
        trajectory_quality,
    )
    from evalkit_scorers.judges.judge import judge
    from evalkit_scorers.judges.pairwise import prefer
    from evalkit_scorers.judges.panel import cascade, panel
    from evalkit_scorers.limits import max_length, min_length
    from evalkit_scorers.numeric import numeric_match
    from evalkit_scorers.overlap import bleu, chrf, rouge
    from evalkit_scorers.patterns import regex
    from evalkit_scorers.privacy import pii
    from evalkit_scorers.retrieval import mrr, ndcg_at, precision_at, recall_at
    from evalkit_scorers.similarity import edit_distance, embedding_similarity, token_f1
    from evalkit_scorers.structured import json_fields, json_schema, json_valid
    from evalkit_scorers.text import contains, contains_all, contains_any, ends_with, exact_match, one_of, starts_with
    from evalkit_scorers.trajectory import tool_call_match, trajectory_match
    from evalkit_scorers.usage import cost, latency, tokens
    from evalkit_scorers.wordlist import forbidden_words

_HOMES = {
    "all_of": "combinators",
    "answer_relevance": "judges.builtin",
    "any_of": "combinators",
    "bleu": "overlap",
    "cascade": "judges.panel",
    "chrf": "overlap",
    "code_equivalence": "judges.builtin",
    "code_execution": "execution",
    "completeness": "judges.builtin",
    "conciseness": "judges.builtin",
    "contains": "text",
    "contains_all": "text",
    "contains_any": "text",
    "context_relevance": "judges.builtin",
    "context_sufficiency": "judges.builtin",
    "conversation_completeness": "judges.builtin",
    "correctness": "judges.builtin",
    "cost": "usage",
    "edit_distance": "similarity",
    "embedding_similarity": "similarity",
    "ends_with": "text",
    "exact_match": "text",
    "faithfulness": "judges.builtin",
    "forbidden_words": "wordlist",
    "harmfulness": "judges.builtin",
    "instruction_following": "judges.builtin",
    "json_equivalence": "judges.builtin",
    "json_fields": "structured",
    "json_schema": "structured",
    "json_valid": "structured",
    "judge": "judges.judge",
    "label_match": "choices",
    "latency": "usage",
    "max_length": "limits",
    "min_length": "limits",
    "mrr": "retrieval",
    "multiple_choice": "choices",
    "ndcg_at": "retrieval",
    "not_": "combinators",
    "numeric_match": "numeric",
    "on": "fields",
    "one_of": "text",
    "panel": "judges.panel",
    "pii": "privacy",
    "plan_adherence": "judges.builtin",
    "precision_at": "retrieval",
    "prefer": "judges.pairwise",
    "recall_at": "retrieval",
    "refusal": "judges.builtin",
    "regex": "patterns",
    "role_adherence": "judges.builtin",
    "rouge": "overlap",
    "sql_equivalence": "judges.builtin",
    "starts_with": "text",
    "summarisation": "judges.builtin",
    "token_f1": "similarity",
    "tokens": "usage",
    "tone": "judges.builtin",
    "tool_call_match": "trajectory",
    "tool_call_quality": "judges.builtin",
    "trajectory_match": "trajectory",
    "trajectory_quality": "judges.builtin",
    "weighted": "combinators",
}

__all__ = [
    "all_of",
    "answer_relevance",
    "any_of",
    "bleu",
    "cascade",
    "chrf",
    "code_equivalence",
    "code_execution",
    "completeness",
    "conciseness",
    "contains",
    "contains_all",
    "contains_any",
    "context_relevance",
    "context_sufficiency",
    "conversation_completeness",
    "correctness",
    "cost",
    "edit_distance",
    "embedding_similarity",
    "ends_with",
    "exact_match",
    "faithfulness",
    "forbidden_words",
    "harmfulness",
    "instruction_following",
    "json_equivalence",
    "json_fields",
    "json_schema",
    "json_valid",
    "judge",
    "label_match",
    "latency",
    "max_length",
    "min_length",
    "mrr",
    "multiple_choice",
    "ndcg_at",
    "not_",
    "numeric_match",
    "on",
    "one_of",
    "panel",
    "pii",
    "plan_adherence",
    "precision_at",
    "prefer",
    "recall_at",
    "refusal",
    "regex",
    "role_adherence",
    "rouge",
    "sql_equivalence",
    "starts_with",
    "summarisation",
    "token_f1",
    "tokens",
    "tone",
    "tool_call_match",
    "tool_call_quality",
    "trajectory_match",
    "trajectory_quality",
    "weighted",
]

__getattr__, __dir__ = contents(__name__, _HOMES)
