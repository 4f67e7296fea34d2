import type { AgentView, AwsKey, AwsKeyView, DeadLetter, DeployAnswer, DeployLine, FleetEvent, FunctionDocument, FunctionView, History, HistoryQuery, InvocationRecord, InvocationResult, InvocationView, LogLine, QueueView, RecordPage, RecordPageQuery, RedriveAnswer, RegistryLogin, RegistryView, ScheduleDocument, ScheduleRun, ScheduleView, SiteView, StartKind, TokenAnswer, UnreadableInvocation, WebhookSecret } from "@longshore/protocol";
import type { Connection } from "./command-line/connection.ts";

/** What commands need of a fleet. The SDK's is one; tests bring their own. */
export interface Fleet {
  readonly call: (name: string, body: CallBody, options: CallOptions) => Promise<Answer>;
  readonly enqueue: (name: string, body: CallBody, options: EnqueueOptions) => Promise<Pick<InvocationHandle, "invocationId">>;
  readonly map: (name: string, inputs: AsyncIterable<string>, options: MapOptions) => AsyncIterable<MapResult>;
  readonly deploy: (document: FunctionDocument, options: { onProgress?: (progress: DeployProgress) => void; signal?: AbortSignal; local?: boolean }) => Promise<DeployAnswer>;
  readonly list: () => Promise<readonly FunctionView[]>;
  readonly remove: (name: string) => Promise<void>;
  readonly logs: (names: readonly string[], options: LogOptions) => AsyncIterable<LogLine>;
  readonly agents: {
    readonly list: (options?: { readonly site?: string }) => Promise<readonly AgentView[]>;
    readonly cordon: (agentId: string) => Promise<AgentView>;
    readonly uncordon: (agentId: string) => Promise<AgentView>;
    readonly drain: (agentId: string, options: { deadlineMs?: number }) => Promise<AgentView>;
    readonly revoke: (agentId: string) => Promise<void>;
  };
  readonly sites: { readonly list: () => Promise<readonly SiteView[]> };
  readonly invocations: { readonly each: (options: { function?: string; state?: "pending" | "finished"; onUnreadable?: (unreadable: UnreadableInvocation) => void }) => AsyncIterable<InvocationView> };
  readonly deadLetters: {
    readonly each: (options: { function?: string; onUnreadable?: (unreadable: UnreadableInvocation) => void }) => AsyncIterable<DeadLetter>;
    readonly get: (invocationId: string) => Promise<DeadLetter>;
    readonly body: (invocationId: string) => Promise<Uint8Array>;
    readonly redrive: (invocationId: string) => Promise<InvocationView>;
    readonly redriveAll: (functionName: string) => Promise<RedriveAnswer>;
    readonly remove: (invocationId: string) => Promise<void>;
  };
  readonly registries: {
    readonly list: () => Promise<readonly RegistryView[]>;
    readonly set: (host: string, login: RegistryLogin) => Promise<RegistryView>;
    readonly remove: (host: string) => Promise<void>;
  };
  readonly awsKeys: {
    readonly list: () => Promise<readonly AwsKeyView[]>;
    readonly create: () => Promise<AwsKey>;
    readonly remove: (accessKeyId: string) => Promise<void>;
  };
  readonly webhookSecret: {
    readonly get: () => Promise<WebhookSecret>;
    readonly rotate: () => Promise<WebhookSecret>;
  };
  readonly schedules: {
    readonly list: () => Promise<readonly ScheduleView[]>;
    readonly get: (name: string) => Promise<ScheduleView>;
    readonly set: (document: ScheduleDocument) => Promise<ScheduleView>;
    readonly remove: (name: string) => Promise<void>;
    readonly pause: (name: string) => Promise<ScheduleView>;
    readonly resume: (name: string) => Promise<ScheduleView>;
    readonly run: (name: string) => Promise<ScheduleRun>;
  };
  readonly queue: { readonly get: () => Promise<QueueView> };
  readonly tokens: { readonly create: (request: TokenRequest) => Promise<TokenAnswer> };
  readonly invocation: (invocationId: string) => InvocationHandle;
  /** Every agent as it stands, `caught_up`, then what happens; the same again from the beginning whenever the connection broke. */
  readonly watch: (options: { readonly signal?: AbortSignal }) => AsyncIterable<FleetEvent>;
  /** `route_not_found` where the broker keeps no history. */
  readonly history: (query: Partial<HistoryQuery>) => Promise<History>;
  /** Terminal records, newest first; fails like `history`. */
  readonly records: { readonly page: (query: Partial<RecordPageQuery>) => Promise<RecordPage> };
  readonly close: () => Promise<void> | void;
}

export type CallBody = Uint8Array | ReadableStream<Uint8Array> | Blob | undefined;
export interface CallOptions {
  readonly where?: string;
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly invocationId?: string;
  readonly idempotencyKey?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

export interface EnqueueOptions extends Pick<CallOptions, "where" | "signal" | "timeoutMs" | "invocationId" | "idempotencyKey" | "headers"> {
  readonly notBefore?: Date;
  readonly delayMs?: number;
  readonly maxAgeMs?: number;
}

export interface MapOptions extends Omit<EnqueueOptions, "invocationId" | "idempotencyKey"> {
  readonly mapId: string;
  readonly concurrency?: number;
  readonly onProgress: (progress: MapProgress) => void;
}

export interface MapProgress {
  readonly accepted: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Absent while nobody knows. */
  readonly total: number | undefined;
}

/** What became of one input: a value, or an error. */
export interface MapResult {
  readonly index: number;
  readonly invocationId?: string | undefined;
  readonly record?: InvocationRecord | undefined;
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly reason: string; readonly message: string } | undefined;
}

/** An answer as it comes: its result is known once its body has ended. */
export interface Answer {
  /** Absent where the contract has none. */
  readonly status: number | undefined;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: ReadableStream<Uint8Array>;
  readonly result: Promise<InvocationResult>;
  readonly siteId: string | undefined;
  readonly agentId: string | undefined;
  readonly start: StartKind | undefined;
  readonly invocationId: string;
}

export interface InvocationHandle {
  readonly invocationId: string;
  readonly status: () => Promise<InvocationView>;
  readonly ended: (options: { readonly signal: AbortSignal }) => Promise<InvocationRecord>;
  readonly cancel: () => Promise<void>;
  readonly result: () => Promise<ReadableStream<Uint8Array>>;
  readonly logs: (options: LogOptions) => AsyncIterable<LogLine>;
}

export interface LogOptions {
  readonly follow: boolean;
  readonly tail: number;
  readonly sinceMs?: number;
  readonly siteId?: string;
  readonly agentId?: string;
  readonly instanceId?: string;
  readonly stream?: LogLine["stream"];
  readonly signal?: AbortSignal;
}

export interface TokenRequest {
  readonly site: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly agentId?: string;
  readonly regions?: readonly string[];
}
export type DeployProgress = Extract<DeployLine, { progress: unknown }>["progress"];
export type CreateFleet = (connection: Connection) => Fleet;
