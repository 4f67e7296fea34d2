import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { Outbox } from "../../../packages/agent/src/journal/outbox.ts";
import { StartLog } from "../../../packages/agent/src/journal/start-log.ts";
import { readOutbox } from "./outbox-files.ts";

const folder = mkdtempSync(join(tmpdir(), "longshore-outbox-files-"));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("readOutbox()", () => {
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
    const { waiting, bytes } = await readOutbox(folder);
    expect(waiting).toEqual(ids.filter((id) => id !== ids[0] && id !== ids[12]));
    expect(bytes).toBe(outbox.totalBytes);
    await outbox.close();
    await starts.close();
  });
});
