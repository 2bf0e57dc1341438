"""The names of attributes, written down here: the conventions for generative AI are still moving.

The canonical ones are those of OpenTelemetry's semantic conventions for generative AI as of 1.38, which are marked
"Development"; `ALIASES` are what earlier versions and OpenInference call the same things.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

OPERATION: Final = "gen_ai.operation.name"
PROVIDER: Final = "gen_ai.provider.name"
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_ID: Final = "gen_ai.response.id"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
OUTPUT_TYPE: Final = "gen_ai.output.type"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHED_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
REASONING_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
INSTRUCTIONS: Final = "gen_ai.system_instructions"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_RESULT: Final = "gen_ai.tool.call.result"
AGENT_NAME: Final = "gen_ai.agent.name"
SCORE_NAME: Final = "gen_ai.evaluation.name"
SCORE_VALUE: Final = "gen_ai.evaluation.score.value"
SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
DOCUMENTS: Final = "gen_ai.retrieval.documents"
FINGERPRINT: Final = "openai.response.system_fingerprint"
REQUEST_TIER: Final = "openai.request.service_tier"
SERVICE_TIER: Final = "openai.response.service_tier"
ERROR_TYPE: Final = "error.type"
SERVER: Final = "server.address"
PORT: Final = "server.port"
METHOD: Final = "http.request.method"
URL: Final = "url.full"
STATUS: Final = "http.response.status_code"

# Ours
KIND: Final = "evalkit.kind"
RUN: Final = "evalkit.run.id"
CASE: Final = "evalkit.case.id"
TRIAL: Final = "evalkit.trial"
SUITE: Final = "evalkit.suite"
SCORER: Final = "evalkit.scorer"
COST: Final = "evalkit.cost"
SAVED: Final = "evalkit.saved"
ANSWERED_FROM: Final = "evalkit.cache"
FIRST_CHUNK: Final = "evalkit.time_to_first_chunk"

CONTENT: Final = frozenset(
    {INPUT_MESSAGES, OUTPUT_MESSAGES, INSTRUCTIONS, TOOL_DEFINITIONS, TOOL_ARGUMENTS, TOOL_RESULT, DOCUMENTS}
)
"""What people said, asked and answered; left out of a trace that keeps metadata only."""

ALIASES: Final = MappingProxyType(
    {
        "gen_ai.system": PROVIDER,
        "gen_ai.usage.prompt_tokens": INPUT_TOKENS,
        "gen_ai.usage.completion_tokens": OUTPUT_TOKENS,
        "gen_ai.usage.cache_read_input_tokens": CACHED_TOKENS,
        "gen_ai.usage.input_tokens.cached": CACHED_TOKENS,
        "gen_ai.usage.cache_creation_input_tokens": CACHE_WRITE_TOKENS,
        "gen_ai.usage.cache_write.input_tokens": CACHE_WRITE_TOKENS,
        "gen_ai.usage.cache_write_tokens": CACHE_WRITE_TOKENS,
        "gen_ai.usage.reasoning_tokens": REASONING_TOKENS,
        "gen_ai.openai.response.system_fingerprint": FINGERPRINT,
        "gen_ai.openai.response.service_tier": SERVICE_TIER,
        "llm.model_name": RESPONSE_MODEL,
        "embedding.model_name": RESPONSE_MODEL,
        "llm.provider": PROVIDER,
        "llm.system": PROVIDER,
        "llm.token_count.prompt": INPUT_TOKENS,
        "llm.token_count.completion": OUTPUT_TOKENS,
        "llm.token_count.prompt_details.cache_read": CACHED_TOKENS,
        "llm.token_count.prompt_details.cache_write": CACHE_WRITE_TOKENS,
        "llm.token_count.completion_details.reasoning": REASONING_TOKENS,
        "llm.finish_reason": FINISH_REASONS,
        "tool.name": TOOL_NAME,
        "tool_call.id": TOOL_CALL_ID,
    }
)
"""What others call it, and the canonical name. The canonical one wins where a span has both."""
