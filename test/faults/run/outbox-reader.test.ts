import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { Outbox } from "../../../packages/agent/src/journal/outbox.ts";
import { StartLog } from "../../../packages/agent/src/journal/start-log.ts";
import { OutboxReader } from "./outbox-reader.ts";

const folder = mkdtempSync(join(tmpdir(), "longshore-outbox-reader-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("an outbox reader", () => {
  it("tells what waits, and as many bytes as the agent counts", async () => {
    const outbox = await Outbox.open({ folder: join(folder, "outbox"), quotaBytes: 2 ** 30, log: pino({ level: "silent" }) });
    const starts = await StartLog.open(join(folder, "journal"));
    const ids = Array.from({ length: 14 }, (_, index) => `invocation-${index}`);
    for (const invocationId of ids) {
      await starts.begin({ invocationId, attempt: 1, head: {} });
      await outbox.keep({ invocationId, attempt: 1, head: {}, body: Buffer.alloc(200_000) });
    }
    for (const invocationId of [ids[0] ?? "", ids[12] ?? ""]) {
      await outbox.settle({ invocationId, attempt: 1 });
      starts.end({ invocationId, attempt: 1 });
    }
    await starts.begin({ invocationId: "begun", attempt: 1, head: {} });
    const reader = new OutboxReader(folder);
    const { waiting, bytes } = await reader.read();
    expect(waiting).toEqual(ids.filter((id) => id !== ids[0] && id !== ids[12]));
    expect(bytes).toBe(outbox.totalBytes);
    for (const invocationId of [...ids.slice(1, 5), "later"]) {
      if (invocationId === "later") await outbox.keep({ invocationId, attempt: 1, head: {}, body: Buffer.alloc(10) });
      else await outbox.settle({ invocationId, attempt: 1 });
      if (invocationId === "later") await starts.begin({ invocationId, attempt: 1, head: {} });
      else starts.end({ invocationId, attempt: 1 });
    }
    await starts.begin({ invocationId: "begun too", attempt: 1, head: { fill: "x".repeat(5 * 2 ** 20) } }); // A shorter log takes the place of this one.
    await starts.begin({ invocationId: "and this", attempt: 1, head: {} });
    expect(await reader.read()).toEqual({ waiting: [...ids.slice(5, 12), ids[13], "later"], bytes: outbox.totalBytes });
    await outbox.close();
    await starts.close();
  });
});
