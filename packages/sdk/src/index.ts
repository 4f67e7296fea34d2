/** Longshore's client for programs: in Node, in browsers, and wherever else there is `fetch`. */
export { LongshoreError } from "@longshore/protocol";
export type { AgentView, AwsKey, AwsKeyView, DeadLetter, DeployAnswer, FleetEvent, FunctionDocument, FunctionView, History, HistoryPoint, InvocationRecord, InvocationResult, InvocationView, LogLine, Outcome, RecordPage, RedriveAnswer, RegistryLogin, RegistryView, ScheduleDocument, ScheduleRun, ScheduleView, SiteView, TokenAnswer, UnreadableInvocation, WebhookEvent, WebhookSecret } from "@longshore/protocol";
export type { Answer, CallBody, CallOptions, Where } from "./call.ts";
export { type FleetError, InvocationError, invocationIdOf, isFleetError } from "./error.ts";
export { createFleet, type DeployProgress, type Fleet, type HistoryOptions, type InvocationListOptions, type RecordQuery, type TokenOptions, type TypedFunction } from "./fleet.ts";
export type { InvocationHandle } from "./handle.ts";
export type { FunctionSchemas, InvokeBody } from "./invoke.ts";
export type { LogOptions } from "./logs.ts";
export type { MapFailure, MapInputs, MapOptions, MapProgress, MapResult, MapSuccess } from "./map.ts";
export type { FleetOptions } from "./options.ts";
export type { EnqueueOptions } from "./submission.ts";
