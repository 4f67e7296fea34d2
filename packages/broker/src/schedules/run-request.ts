import type { FunctionName, HeaderList, InvocationId, RequestHead, TenantId, Where } from "@longshore/protocol";
import { runIdOf } from "./run-id.ts";
import { bodyOf, type StoredSchedule } from "./stored-schedule.ts";

/** An invocation to be accepted. */
export interface RunRequest {
  readonly tenantId: TenantId;
  readonly functionName: FunctionName;
  readonly invocationId: InvocationId;
  readonly body: Uint8Array;
  readonly request: RequestHead;
  readonly where: Where;
  readonly timeoutMs: undefined;
  /** Absent: as for any accepted invocation. */
  readonly maxAgeMs?: number;
}

/** Keeps an invocation for good, or throws; `invocation_exists` where that id has been accepted before. */
export type Accept = (request: RunRequest) => Promise<unknown>;

/** What a schedule's run at a due time is; the same whoever makes it. */
export function dueRunOf(stored: StoredSchedule, dueMs: number): RunRequest {
  const { tenantId, creationId, definition } = stored;
  return requestOf(stored, runIdOf({ tenantId, scheduleName: definition.name, creationId, dueMs }), [["Longshore-Due", new Date(dueMs).toISOString()]]);
}

/** A run besides the due times. */
export function extraRunOf(stored: StoredSchedule, invocationId: InvocationId): RunRequest {
  return requestOf(stored, invocationId, []);
}

function requestOf(stored: StoredSchedule, invocationId: InvocationId, due: HeaderList): RunRequest {
  const { contentType, where, maxAgeMs, name, function: functionName } = stored.definition;
  const type: HeaderList = contentType === undefined ? [] : [["Content-Type", contentType]];
  return {
    tenantId: stored.tenantId as TenantId,
    functionName: functionName as FunctionName,
    invocationId,
    body: bodyOf(stored),
    request: { method: "POST", target: "/", headers: [...type, ["Longshore-Schedule", name], ...due].map(([field, value]): [string, string] => [field, value]) },
    where: where ?? {},
    timeoutMs: undefined,
    ...(maxAgeMs !== undefined && { maxAgeMs }),
  };
}
