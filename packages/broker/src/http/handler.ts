import type { AgentList, AgentPageQuery, AgentView, AwsKey, AwsKeyView, DeployAnswer, DrainRequest, DurabilityView, FunctionList, FunctionView, History, HistoryQuery, InvocationId, InvocationRecord, InvocationView, JoinAnswer, JoinRequest, LogLine, PageQuery, PullProgress, RecordPage, RecordPageQuery, RegistryView, RenewRequest, ScheduleList, ScheduleRun, ScheduleView, SiteView, TenantId, TokenAnswer, TokenRequest, WebhookSecret } from "@longshore/protocol";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Acceptor } from "./submission-door.ts";
import type { LogQuery } from "../logs/log-query.ts";
import type { DeadLetters } from "../queue/dead-letters.ts";
import type { Queue } from "../queue/queue.ts";
import type { Caller } from "../socket/caller.ts";

/** What the HTTP side needs of the rest of the broker; `broker.ts` puts it together. */
export interface BrokerParts {
  readonly functions: {
    deploy(tenantId: TenantId, document: unknown, options: DeployOptions): Promise<DeployAnswer>;
    view(tenantId: TenantId, name: string): FunctionView;
    /** By name. */
    list(tenantId: TenantId): FunctionView[];
    page(tenantId: TenantId, page: PageQuery): FunctionList;
    revisions(tenantId: TenantId, name: string): FunctionView[];
    remove(tenantId: TenantId, name: string): Promise<void>;
  };
  readonly invocations: {
    view(tenantId: TenantId, invocationId: InvocationId, waitMs?: number): Promise<InvocationView>;
    cancel(tenantId: TenantId, invocationId: InvocationId): Promise<void>;
    result(tenantId: TenantId, invocationId: InvocationId): Promise<{ record: InvocationRecord; body: Uint8Array | AsyncIterable<Uint8Array> }>;
  };
  readonly history: { read(tenantId: TenantId, query: HistoryQuery): History };
  readonly records: { page(tenantId: TenantId, query: RecordPageQuery): Promise<RecordPage> };
  readonly queue: Acceptor & Pick<Queue, "list" | "survey">;
  readonly deadLetters: Pick<DeadLetters, "list" | "get" | "redrive" | "redriveAll" | "remove">;
  readonly fleet: {
    agents(page: AgentPageQuery): AgentList;
    sites(): SiteView[];
    cordon(agentId: string, cordoned: boolean): Promise<AgentView>;
    drain(agentId: string, request: DrainRequest): Promise<AgentView>;
    revoke(agentId: string): Promise<void>;
  };
  readonly registries: {
    list(tenantId: TenantId): RegistryView[];
    set(tenantId: TenantId, host: string, document: unknown): Promise<RegistryView>;
    remove(tenantId: TenantId, host: string): Promise<void>;
  };
  readonly awsKeys: {
    list(tenantId: TenantId): AwsKeyView[];
    create(tenantId: TenantId): Promise<AwsKey>;
    remove(tenantId: TenantId, accessKeyId: string): Promise<void>;
  };
  /** What the tenant's webhooks are signed with. */
  readonly webhookSecret: {
    show(tenantId: TenantId): Promise<WebhookSecret>;
    rotate(tenantId: TenantId): Promise<WebhookSecret>;
  };
  readonly schedules: {
    page(tenantId: TenantId, page: PageQuery): ScheduleList;
    view(tenantId: TenantId, name: string): ScheduleView;
    set(tenantId: TenantId, name: string, document: unknown): Promise<{ view: ScheduleView; created: boolean }>;
    remove(tenantId: TenantId, name: string): Promise<void>;
    pause(tenantId: TenantId, name: string, paused: boolean): Promise<ScheduleView>;
    run(tenantId: TenantId, name: string, key?: string): Promise<ScheduleRun>;
  };
  readonly identity: {
    createToken(request: TokenRequest): Promise<TokenAnswer>;
    join(request: JoinRequest): Promise<JoinAnswer>;
    renew(agentId: string, request: RenewRequest): Promise<JoinAnswer>;
  };
  readonly logs: {
    open(tenantId: TenantId, query: LogQuery, signal: AbortSignal): Promise<AsyncIterable<LogLine> | Iterable<LogLine>>;
  };
  readonly health: {
    readonly brokerId: string;
    problem(): string | undefined;
    /** Read at each request; absent where nobody looks. */
    readonly durability?: DurabilityView;
  };
  /** Prometheus text: of this broker, and of the agents in reach. */
  metrics(): string;
  agentMetrics(): string;
  /** Counts an answer; undefined: its connection broke before its end. */
  answered?(status: number | undefined, durationMs: number): void;
}

export interface DeployOptions {
  /** Take the image that an agent's engine has, and ask no registry. */
  readonly local?: boolean;
  onProgress(progress: DeployProgress): void;
  readonly signal: AbortSignal;
}

export interface DeployProgress {
  readonly siteId: string;
  readonly agentId: string;
  readonly pull: PullProgress;
}

/** A request on its way to a handler: route found, caller known. */
export interface HandlerContext {
  readonly parts: BrokerParts;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly parameters: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly caller: Caller | undefined;
  /** The tenant of the caller; routes with access `key` only. */
  readonly tenantId: TenantId;
  /** The body as a JSON document; read when it is asked for. */
  document(): Promise<unknown>;
}

/** Answers one route. What it throws becomes a problem; what it returns, where it returns something, a JSON document. */
export type Handler = (context: HandlerContext) => unknown;
