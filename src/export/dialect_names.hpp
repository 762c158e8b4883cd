#pragma once

// What other conventions call the facts on a span. Flowspan's own names, which are recorded, stand
// in trace/names.hpp; these are only ever written for a destination that asked for its dialect.

namespace flowspan::exporting::dialect_names {

// OpenInference, August 2026. Lists are flattened: `prefix.<index>.suffix`.
namespace openinference {
inline constexpr char kSpanKind[] = "openinference.span.kind";
inline constexpr char kInputValue[] = "input.value";
inline constexpr char kInputMimeType[] = "input.mime_type";
inline constexpr char kOutputValue[] = "output.value";
inline constexpr char kOutputMimeType[] = "output.mime_type";
inline constexpr char kModelName[] = "llm.model_name";
inline constexpr char kRequestModelName[] = "llm.request.model_name";
inline constexpr char kResponseModelName[] = "llm.response.model_name";
inline constexpr char kProvider[] = "llm.provider";
inline constexpr char kSystem[] = "llm.system";
inline constexpr char kInvocationParameters[] = "llm.invocation_parameters";
inline constexpr char kFinishReason[] = "llm.finish_reason";
inline constexpr char kInputMessages[] = "llm.input_messages";
inline constexpr char kOutputMessages[] = "llm.output_messages";
inline constexpr char kMessageRole[] = "message.role";
inline constexpr char kMessageContent[] = "message.content";
inline constexpr char kMessageToolCallId[] = "message.tool_call_id";
inline constexpr char kMessageToolCalls[] = "message.tool_calls";
inline constexpr char kTools[] = "llm.tools";
inline constexpr char kToolSchema[] = "tool.json_schema";
inline constexpr char kToolCallId[] = "tool_call.id";
inline constexpr char kToolCallName[] = "tool_call.function.name";
inline constexpr char kToolCallArguments[] = "tool_call.function.arguments";
inline constexpr char kTokensPrompt[] = "llm.token_count.prompt";
inline constexpr char kTokensCompletion[] = "llm.token_count.completion";
inline constexpr char kTokensTotal[] = "llm.token_count.total";
inline constexpr char kTokensCacheRead[] = "llm.token_count.prompt_details.cache_read";
inline constexpr char kTokensReasoning[] = "llm.token_count.completion_details.reasoning";
inline constexpr char kCostTotal[] = "llm.cost.total";
inline constexpr char kEmbeddingModelName[] = "embedding.model_name";
inline constexpr char kRerankerModelName[] = "reranker.model_name";
inline constexpr char kRerankerTopK[] = "reranker.top_k";
inline constexpr char kRerankerQuery[] = "reranker.query";
inline constexpr char kRetrievalDocuments[] = "retrieval.documents";
inline constexpr char kDocumentId[] = "document.id";
inline constexpr char kDocumentScore[] = "document.score";
inline constexpr char kDocumentContent[] = "document.content";
inline constexpr char kDocumentMetadata[] = "document.metadata";
inline constexpr char kToolName[] = "tool.name";
inline constexpr char kToolDescription[] = "tool.description";
inline constexpr char kToolParameters[] = "tool.parameters";
inline constexpr char kToolId[] = "tool.id";
inline constexpr char kSessionId[] = "session.id";
inline constexpr char kUserId[] = "user.id";
inline constexpr char kMetadata[] = "metadata";
inline constexpr char kTags[] = "tag.tags";
inline constexpr char kAgentName[] = "agent.name";
inline constexpr char kGraphNodeId[] = "graph.node.id";
inline constexpr char kGraphNodeName[] = "graph.node.name";
inline constexpr char kGraphNodeParentId[] = "graph.node.parent_id";
}  // namespace openinference

// As Dify's own instrumentation writes them, where they differ from what is recorded.
namespace dify {
inline constexpr char kUserId[] = "gen_ai.user.id";
inline constexpr char kPrompt[] = "gen_ai.prompt";
inline constexpr char kCompletion[] = "gen_ai.completion";
inline constexpr char kTotalTokens[] = "gen_ai.usage.total_tokens";
inline constexpr char kFinishReason[] = "gen_ai.response.finish_reason";
inline constexpr char kRetrievalQuery[] = "retrieval.query";
inline constexpr char kRetrievalDocument[] = "retrieval.document";
inline constexpr char kTenantId[] = "dify.tenant_id";
}  // namespace dify

// Langfuse's OTLP endpoint.
namespace langfuse {
inline constexpr char kTraceName[] = "langfuse.trace.name";
inline constexpr char kTraceTags[] = "langfuse.trace.tags";
inline constexpr char kTraceInput[] = "langfuse.trace.input";
inline constexpr char kTraceOutput[] = "langfuse.trace.output";
inline constexpr char kTraceMetadata[] = "langfuse.trace.metadata.";
inline constexpr char kUserId[] = "langfuse.user.id";
inline constexpr char kSessionId[] = "langfuse.session.id";
inline constexpr char kType[] = "langfuse.observation.type";
inline constexpr char kInput[] = "langfuse.observation.input";
inline constexpr char kOutput[] = "langfuse.observation.output";
inline constexpr char kMetadata[] = "langfuse.observation.metadata.";
inline constexpr char kLevel[] = "langfuse.observation.level";
inline constexpr char kStatusMessage[] = "langfuse.observation.status_message";
inline constexpr char kModelName[] = "langfuse.observation.model.name";
inline constexpr char kModelParameters[] = "langfuse.observation.model.parameters";
inline constexpr char kUsageDetails[] = "langfuse.observation.usage_details";
inline constexpr char kCostDetails[] = "langfuse.observation.cost_details";
inline constexpr char kCompletionStartTime[] = "langfuse.observation.completion_start_time";
}  // namespace langfuse

// LangSmith's OTLP endpoint.
namespace langsmith {
inline constexpr char kSpanKind[] = "langsmith.span.kind";
inline constexpr char kTraceName[] = "langsmith.trace.name";
inline constexpr char kTags[] = "langsmith.span.tags";
inline constexpr char kMetadata[] = "langsmith.metadata.";
inline constexpr char kThreadId[] = "langsmith.metadata.thread_id";
inline constexpr char kSystem[] = "gen_ai.system";
inline constexpr char kPrompt[] = "gen_ai.prompt";
inline constexpr char kCompletion[] = "gen_ai.completion";
inline constexpr char kTotalTokens[] = "gen_ai.usage.total_tokens";
inline constexpr char kRole[] = "role";
inline constexpr char kContent[] = "content";
}  // namespace langsmith

}  // namespace flowspan::exporting::dialect_names
