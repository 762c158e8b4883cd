#pragma once

// Every span attribute name that Flowspan writes. A string literal elsewhere fails the style check.
// OpenTelemetry semantic conventions 1.41 and Dify's own names.

namespace flowspan::trace::names {

// General.
inline constexpr char kErrorType[] = "error.type";
inline constexpr char kExceptionEvent[] = "exception";
inline constexpr char kExceptionType[] = "exception.type";
inline constexpr char kExceptionMessage[] = "exception.message";
inline constexpr char kServerAddress[] = "server.address";
inline constexpr char kServerPort[] = "server.port";
inline constexpr char kSessionId[] = "session.id";
inline constexpr char kUserId[] = "user.id";

// HTTP client.
inline constexpr char kHttpRequestMethod[] = "http.request.method";
inline constexpr char kHttpRequestMethodOriginal[] = "http.request.method_original";
inline constexpr char kHttpRequestResendCount[] = "http.request.resend_count";
inline constexpr char kHttpResponseStatusCode[] = "http.response.status_code";
inline constexpr char kUrlFull[] = "url.full";
inline constexpr char kNetworkProtocolVersion[] = "network.protocol.version";
inline constexpr char kNetworkPeerAddress[] = "network.peer.address";
inline constexpr char kNetworkPeerPort[] = "network.peer.port";

// Generative AI.
inline constexpr char kGenAiOperationName[] = "gen_ai.operation.name";
inline constexpr char kGenAiProviderName[] = "gen_ai.provider.name";
inline constexpr char kGenAiRequestModel[] = "gen_ai.request.model";
inline constexpr char kGenAiRequestStream[] = "gen_ai.request.stream";
inline constexpr char kGenAiRequestTemperature[] = "gen_ai.request.temperature";
inline constexpr char kGenAiRequestTopP[] = "gen_ai.request.top_p";
inline constexpr char kGenAiRequestTopK[] = "gen_ai.request.top_k";
inline constexpr char kGenAiRequestMaxTokens[] = "gen_ai.request.max_tokens";
inline constexpr char kGenAiRequestSeed[] = "gen_ai.request.seed";
inline constexpr char kGenAiRequestFrequencyPenalty[] = "gen_ai.request.frequency_penalty";
inline constexpr char kGenAiRequestPresencePenalty[] = "gen_ai.request.presence_penalty";
inline constexpr char kGenAiRequestStopSequences[] = "gen_ai.request.stop_sequences";
inline constexpr char kGenAiResponseId[] = "gen_ai.response.id";
inline constexpr char kGenAiResponseModel[] = "gen_ai.response.model";
inline constexpr char kGenAiResponseFinishReasons[] = "gen_ai.response.finish_reasons";
inline constexpr char kGenAiResponseTimeToFirstChunk[] = "gen_ai.response.time_to_first_chunk";
inline constexpr char kGenAiUsageInputTokens[] = "gen_ai.usage.input_tokens";
inline constexpr char kGenAiUsageOutputTokens[] = "gen_ai.usage.output_tokens";
inline constexpr char kGenAiUsageCacheReadInputTokens[] = "gen_ai.usage.cache_read.input_tokens";
inline constexpr char kGenAiUsageReasoningOutputTokens[] = "gen_ai.usage.reasoning.output_tokens";
inline constexpr char kGenAiRequestEncodingFormats[] = "gen_ai.request.encoding_formats";
inline constexpr char kGenAiEmbeddingsDimensionCount[] = "gen_ai.embeddings.dimension.count";
inline constexpr char kGenAiOutputType[] = "gen_ai.output.type";
inline constexpr char kGenAiConversationId[] = "gen_ai.conversation.id";
inline constexpr char kGenAiWorkflowName[] = "gen_ai.workflow.name";
inline constexpr char kGenAiInputMessages[] = "gen_ai.input.messages";
inline constexpr char kGenAiSystemInstructions[] = "gen_ai.system_instructions";
inline constexpr char kGenAiOutputMessages[] = "gen_ai.output.messages";
inline constexpr char kGenAiToolName[] = "gen_ai.tool.name";
inline constexpr char kGenAiToolType[] = "gen_ai.tool.type";
inline constexpr char kGenAiToolCallId[] = "gen_ai.tool.call.id";
inline constexpr char kGenAiToolDefinitions[] = "gen_ai.tool.definitions";
inline constexpr char kGenAiInferenceDetails[] = "gen_ai.client.inference.operation.details";
inline constexpr char kGenAiToolDescription[] = "gen_ai.tool.description";
inline constexpr char kGenAiToolCallArguments[] = "gen_ai.tool.call.arguments";
inline constexpr char kGenAiToolCallResult[] = "gen_ai.tool.call.result";
inline constexpr char kGenAiAgentName[] = "gen_ai.agent.name";
inline constexpr char kGenAiDataSourceId[] = "gen_ai.data_source.id";
inline constexpr char kGenAiFramework[] = "gen_ai.framework";
inline constexpr char kGenAiSpanKind[] = "gen_ai.span.kind";
inline constexpr char kGenAiEvaluationResultEvent[] = "gen_ai.evaluation.result";
inline constexpr char kGenAiEvaluationName[] = "gen_ai.evaluation.name";
inline constexpr char kGenAiEvaluationScoreValue[] = "gen_ai.evaluation.score.value";
inline constexpr char kGenAiEvaluationScoreLabel[] = "gen_ai.evaluation.score.label";
inline constexpr char kGenAiEvaluationExplanation[] = "gen_ai.evaluation.explanation";
inline constexpr char kOpenAiApiType[] = "openai.api.type";

inline constexpr char kGenAiRetrievalQueryText[] = "gen_ai.retrieval.query.text";
inline constexpr char kGenAiRetrievalDocuments[] = "gen_ai.retrieval.documents";

// Database client.
inline constexpr char kDbSystemName[] = "db.system.name";
inline constexpr char kDbOperationName[] = "db.operation.name";
inline constexpr char kDbOperationBatchSize[] = "db.operation.batch.size";
inline constexpr char kDbCollectionName[] = "db.collection.name";
inline constexpr char kDbQuerySummary[] = "db.query.summary";
inline constexpr char kDbQueryText[] = "db.query.text";
inline constexpr char kDbResponseStatusCode[] = "db.response.status_code";
inline constexpr char kDbResponseReturnedRows[] = "db.response.returned_rows";

// Streamed model calls: how the chunks came (seconds, counts).
inline constexpr char kFlowspanChunkCount[] = "flowspan.stream.chunk_count";
inline constexpr char kFlowspanChunkGapMax[] = "flowspan.stream.chunk_gap_max";
inline constexpr char kFlowspanChunkGapMean[] = "flowspan.stream.chunk_gap_mean";

// Dify's own names.
inline constexpr char kDifyAppId[] = "dify.app_id";
inline constexpr char kDifyAppName[] = "dify.app.name";
inline constexpr char kDifyAppMode[] = "dify.app.mode";
inline constexpr char kDifyUserType[] = "dify.user_type";
inline constexpr char kDifyInvokeFrom[] = "dify.invoke_from";
inline constexpr char kDifyStreaming[] = "dify.streaming";
inline constexpr char kDifyWorkflowId[] = "dify.workflow_id";
inline constexpr char kDifyWorkflowRunId[] = "dify.workflow.run_id";
inline constexpr char kDifyWorkflowStatus[] = "dify.workflow.status";
inline constexpr char kDifyWorkflowTotalTokens[] = "dify.workflow.total_tokens";
inline constexpr char kDifyWorkflowTotalPrice[] = "dify.workflow.total_price";
inline constexpr char kDifyWorkflowCurrency[] = "dify.workflow.currency";
inline constexpr char kDifyWorkflowSteps[] = "dify.workflow.total_steps";
inline constexpr char kDifyWorkflowExceptions[] = "dify.workflow.exceptions_count";
inline constexpr char kDifyWorkflowAbortReason[] = "dify.workflow.abort.reason";
inline constexpr char kDifyUsageTotalPrice[] = "dify.usage.total_price";
inline constexpr char kDifyUsageCurrency[] = "dify.usage.currency";
inline constexpr char kDifyMessageId[] = "dify.message_id";
inline constexpr char kDifyTaskId[] = "dify.task_id";
inline constexpr char kNodeId[] = "node.id";
inline constexpr char kNodeType[] = "node.type";
inline constexpr char kNodeExecutionId[] = "node.execution_id";
inline constexpr char kDifyNodeTitle[] = "dify.node.title";
inline constexpr char kDifyNodeStatus[] = "dify.node.status";
inline constexpr char kDifyNodeIndex[] = "dify.node.index";
inline constexpr char kDifyNodePredecessors[] = "dify.node.predecessors";
inline constexpr char kDifyNodeErrorStrategy[] = "dify.node.error_strategy";
inline constexpr char kDifyNodeBranch[] = "dify.node.branch";
inline constexpr char kDifyIterationId[] = "dify.iteration.id";
inline constexpr char kDifyIterationIndex[] = "dify.iteration.index";
inline constexpr char kDifyLoopId[] = "dify.loop.id";
inline constexpr char kDifyLoopIndex[] = "dify.loop.index";
inline constexpr char kInputValue[] = "input.value";
inline constexpr char kOutputValue[] = "output.value";

// Flowspan's own: timing that explains, attempts, outcomes.
inline constexpr char kFlowspanResumed[] = "flowspan.run.resumed";
inline constexpr char kFlowspanPauseDuration[] = "flowspan.run.pause_duration";
inline constexpr char kFlowspanReadyDelay[] = "flowspan.node.ready_delay";
inline constexpr char kFlowspanRoundDelay[] = "flowspan.round.ready_delay";
inline constexpr char kFlowspanAttempt[] = "flowspan.attempt.index";
inline constexpr char kFlowspanAttemptDelay[] = "flowspan.attempt.delay";
inline constexpr char kFlowspanAttemptCause[] = "flowspan.attempt.cause";
inline constexpr char kFlowspanAttemptCount[] = "flowspan.attempt.count";
inline constexpr char kFlowspanExternalTraceId[] = "flowspan.external_trace_id";
inline constexpr char kFlowspanSamplingKeep[] = "flowspan.sampling.keep";
inline constexpr char kFlowspanEndReason[] = "flowspan.end_reason";
inline constexpr char kFlowspanWaitWorker[] = "flowspan.wait.worker";
inline constexpr char kFlowspanWaitRateLimit[] = "flowspan.wait.rate_limit";
inline constexpr char kFlowspanWaitRetry[] = "flowspan.wait.retry";
inline constexpr char kFlowspanWaitProvider[] = "flowspan.wait.provider";
inline constexpr char kFlowspanFirstChunk[] = "flowspan.stream.time_to_first_chunk";
inline constexpr char kFlowspanWarningEvent[] = "flowspan.warning";
inline constexpr char kFlowspanWarningCode[] = "flowspan.warning.code";
inline constexpr char kFlowspanWarningText[] = "flowspan.warning.text";
inline constexpr char kFlowspanLateEvent[] = "flowspan.late_event";
inline constexpr char kFlowspanLateEventKind[] = "flowspan.late.kind";
inline constexpr char kFlowspanToolProvider[] = "flowspan.tool.provider";
inline constexpr char kFlowspanToolTokens[] = "flowspan.tool.total_tokens";
inline constexpr char kFlowspanAgentRound[] = "flowspan.agent.round";
inline constexpr char kFlowspanAgentRounds[] = "flowspan.agent.round_count";
inline constexpr char kFlowspanTextCount[] = "flowspan.model.text_count";
inline constexpr char kFlowspanDocumentCount[] = "flowspan.retrieval.document_count";

// Content: its size in bytes, and a reference to the whole where only the head stands on the span.
inline constexpr char kFlowspanPromptBytes[] = "flowspan.prompt.bytes";
inline constexpr char kFlowspanPromptRef[] = "flowspan.prompt.ref";
inline constexpr char kFlowspanPromptMessages[] = "flowspan.prompt.messages";
inline constexpr char kFlowspanInstructionsBytes[] = "flowspan.instructions.bytes";
inline constexpr char kFlowspanInstructionsRef[] = "flowspan.instructions.ref";
inline constexpr char kFlowspanDefinitionsBytes[] = "flowspan.tool.definitions.bytes";
inline constexpr char kFlowspanDefinitionsRef[] = "flowspan.tool.definitions.ref";
inline constexpr char kFlowspanAnswerBytes[] = "flowspan.answer.bytes";
inline constexpr char kFlowspanAnswerRef[] = "flowspan.answer.ref";
inline constexpr char kFlowspanInputBytes[] = "flowspan.input.bytes";
inline constexpr char kFlowspanInputRef[] = "flowspan.input.ref";
inline constexpr char kFlowspanOutputBytes[] = "flowspan.output.bytes";
inline constexpr char kFlowspanOutputRef[] = "flowspan.output.ref";
inline constexpr char kFlowspanQueryBytes[] = "flowspan.retrieval.query.bytes";
inline constexpr char kFlowspanQueryRef[] = "flowspan.retrieval.query.ref";
inline constexpr char kFlowspanDocumentsBytes[] = "flowspan.retrieval.documents.bytes";
inline constexpr char kFlowspanDocumentsRef[] = "flowspan.retrieval.documents.ref";
inline constexpr char kFlowspanArgumentsBytes[] = "flowspan.tool.arguments.bytes";
inline constexpr char kFlowspanArgumentsRef[] = "flowspan.tool.arguments.ref";
inline constexpr char kFlowspanResultBytes[] = "flowspan.tool.result.bytes";
inline constexpr char kFlowspanResultRef[] = "flowspan.tool.result.ref";

// Steps around a message: moderation, suggested questions, the conversation's name.
inline constexpr char kFlowspanModerationFlagged[] = "flowspan.moderation.flagged";
inline constexpr char kFlowspanModerationAction[] = "flowspan.moderation.action";
inline constexpr char kFlowspanSuggestionCount[] = "flowspan.suggestion.count";
inline constexpr char kFlowspanScoreSource[] = "flowspan.score.source";
inline constexpr char kFlowspanScoreOfStep[] = "flowspan.score.of_step";

// Where a dialect has no name for a step's input and output.
inline constexpr char kFlowspanInput[] = "flowspan.input";
inline constexpr char kFlowspanOutput[] = "flowspan.output";
inline constexpr char kFlowspanDocumentIds[] = "flowspan.retrieval.document_ids";
inline constexpr char kFlowspanDocumentScores[] = "flowspan.retrieval.scores";

// What the exporting side writes itself: the span's marks for what was cut or broken off, and the
// resource.
inline constexpr char kFlowspanInterrupted[] = "flowspan.interrupted";
inline constexpr char kFlowspanInterruptedEvent[] = "flowspan.interrupted";
inline constexpr char kFlowspanFactsLost[] = "flowspan.facts_lost";
inline constexpr char kFlowspanPending[] = "flowspan.pending";
inline constexpr char kFlowspanPendingParentId[] = "flowspan.pending.parent_id";
inline constexpr char kFlowspanTruncated[] = "flowspan.truncated";
inline constexpr char kFlowspanTruncatedBytes[] = "flowspan.truncated_bytes";
inline constexpr char kServiceName[] = "service.name";
inline constexpr char kServiceVersion[] = "service.version";
inline constexpr char kServiceInstanceId[] = "service.instance.id";
inline constexpr char kHostName[] = "host.name";
inline constexpr char kProcessPid[] = "process.pid";
inline constexpr char kTelemetrySdkName[] = "telemetry.sdk.name";
inline constexpr char kTelemetrySdkLanguage[] = "telemetry.sdk.language";
inline constexpr char kTelemetrySdkVersion[] = "telemetry.sdk.version";

// Events of log records.
inline constexpr char kLogRunStarted[] = "flowspan.run.started";
inline constexpr char kLogRunEnded[] = "flowspan.run.ended";
inline constexpr char kLogNodeFailed[] = "flowspan.node.failed";
inline constexpr char kLogNodeHandled[] = "flowspan.node.handled";
inline constexpr char kLogNodeRetried[] = "flowspan.node.retried";

// Labels of metrics.
inline constexpr char kGenAiTokenType[] = "gen_ai.token.type";
inline constexpr char kMetricOverflow[] = "otel.metric.overflow";
inline constexpr char kFlowspanCurrency[] = "flowspan.currency";
inline constexpr char kFlowspanPool[] = "flowspan.pool";
inline constexpr char kFlowspanSink[] = "flowspan.sink";
inline constexpr char kFlowspanDropReason[] = "flowspan.drop.reason";
inline constexpr char kFlowspanAnomaly[] = "flowspan.anomaly";

// Metrics of the GenAI conventions.
inline constexpr char kMetricTokenUsage[] = "gen_ai.client.token.usage";
inline constexpr char kMetricOperationDuration[] = "gen_ai.client.operation.duration";
inline constexpr char kMetricTimeToFirstChunk[] = "gen_ai.client.operation.time_to_first_chunk";
inline constexpr char kMetricTimePerChunk[] = "gen_ai.client.operation.time_per_output_chunk";
inline constexpr char kMetricWorkflowDuration[] = "gen_ai.invoke_workflow.duration";
inline constexpr char kMetricAgentDuration[] = "gen_ai.invoke_agent.duration";
inline constexpr char kMetricAgentInferenceCalls[] = "gen_ai.invoke_agent.inference_calls";
inline constexpr char kMetricAgentToolCalls[] = "gen_ai.invoke_agent.tool_calls";
inline constexpr char kMetricToolDuration[] = "gen_ai.execute_tool.duration";

// Metrics of the HTTP and database conventions.
inline constexpr char kMetricHttpRequestDuration[] = "http.client.request.duration";
inline constexpr char kMetricDbOperationDuration[] = "db.client.operation.duration";

// Metrics of our own.
inline constexpr char kMetricRuns[] = "flowspan.workflow.runs";
inline constexpr char kMetricRunsActive[] = "flowspan.workflow.active";
inline constexpr char kMetricRunFirstChunk[] = "flowspan.workflow.time_to_first_chunk";
inline constexpr char kMetricTokens[] = "flowspan.workflow.tokens";
inline constexpr char kMetricCost[] = "flowspan.workflow.cost";
inline constexpr char kMetricNodeDuration[] = "flowspan.node.duration";
inline constexpr char kMetricNodeReadyDelay[] = "flowspan.node.ready_delay";
inline constexpr char kMetricNodeRetries[] = "flowspan.node.retries";
inline constexpr char kMetricPoolQueued[] = "flowspan.pool.queued";
inline constexpr char kMetricPoolRunning[] = "flowspan.pool.running";
inline constexpr char kMetricSpansStarted[] = "otel.sdk.span.started";
inline constexpr char kMetricSpansLive[] = "otel.sdk.span.live";
inline constexpr char kMetricSpansUnsampled[] = "flowspan.spans.unsampled";
inline constexpr char kMetricSinkOffered[] = "flowspan.sink.offered";
inline constexpr char kMetricSinkExported[] = "flowspan.sink.exported";
inline constexpr char kMetricSinkDropped[] = "flowspan.sink.dropped";
inline constexpr char kMetricSinkQueued[] = "flowspan.sink.queued";
inline constexpr char kMetricSinkQueuedBytes[] = "flowspan.sink.queued_bytes";
inline constexpr char kMetricSinkFailedAttempts[] = "flowspan.sink.failed_attempts";
inline constexpr char kMetricSinkAnnounced[] = "flowspan.sink.announced";
inline constexpr char kMetricSinkUndecided[] = "flowspan.sink.undecided";
inline constexpr char kMetricLogsCreated[] = "otel.sdk.log.created";
inline constexpr char kMetricLogSinkOffered[] = "flowspan.log_sink.offered";
inline constexpr char kMetricLogSinkExported[] = "flowspan.log_sink.exported";
inline constexpr char kMetricLogSinkDropped[] = "flowspan.log_sink.dropped";
inline constexpr char kMetricLogSinkQueued[] = "flowspan.log_sink.queued";
inline constexpr char kMetricLogSinkQueuedBytes[] = "flowspan.log_sink.queued_bytes";
inline constexpr char kMetricLogSinkFailedAttempts[] = "flowspan.log_sink.failed_attempts";
inline constexpr char kMetricAnomalies[] = "flowspan.spans.anomalies";
inline constexpr char kMetricLayerFailures[] = "flowspan.layer.failures";

}  // namespace flowspan::trace::names
