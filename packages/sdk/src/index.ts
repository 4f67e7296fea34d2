/** Longshore's client for programs: in Node, in browsers, and wherever else there is `fetch`. */
export { LongshoreError } from "@longshore/protocol";
export type { AgentView, AwsKey, AwsKeyView, DeployAnswer, FleetEvent, FunctionDocument, FunctionView, InvocationRecord, InvocationResult, InvocationView, LogLine, Outcome, RegistryLogin, RegistryView, ScheduleDocument, ScheduleRun, ScheduleView, SiteView, TokenAnswer, WebhookEvent, WebhookSecret } from "@longshore/protocol";
export type { Answer, CallBody, CallOptions, Where } from "./call.ts";
export { type FleetError, InvocationError, invocationIdOf, isFleetError } from "./error.ts";
export { createFleet, type DeployProgress, type Fleet, type InvocationHandle, type TokenOptions, type TypedFunction } from "./fleet.ts";
export type { FunctionSchemas, InvokeBody } from "./invoke.ts";
export type { LogOptions } from "./logs.ts";
export type { FleetOptions } from "./options.ts";
