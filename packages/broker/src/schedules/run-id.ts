import { createHash } from "node:crypto";
import { createInvocationId, type InvocationId } from "@longshore/protocol";

/** What a run is named by. */
export interface RunName {
  readonly tenantId: string;
  readonly scheduleName: string;
  /** Of the schedule: one that was removed and made again has other runs. */
  readonly creationId: string;
  /** Epoch milliseconds. */
  readonly dueMs: number;
}

/** The id of a due run: whoever accepts it, and however often, it is one invocation. In the layout of any id, its time the due time. */
export function runIdOf({ tenantId, scheduleName, creationId, dueMs }: RunName): InvocationId {
  return createInvocationId(dueMs, createHash("sha256").update(["schedule", tenantId, scheduleName, creationId, dueMs].join("\n")).digest());
}
