import type { QueuedInvocation, QueueStore } from "../bus/queue-store.ts";

/** An entry could not be written anew, or ended: whoever did that before has it; but a server that was killed may have brought back one that has its record. Throws `bus_down`. */
export async function removeGhost({ tenantId, invocationId, sequence }: Pick<QueuedInvocation, "tenantId" | "invocationId" | "sequence">, queue: Pick<QueueStore, "find" | "remove">): Promise<void> {
  if ((await queue.find(tenantId, invocationId))?.state === "finished") await queue.remove({ sequence });
}
