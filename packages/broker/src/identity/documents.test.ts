import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { MemoryStore } from "../bus/testing/memory-store.ts";
import { Documents } from "./documents.ts";

const schema = z.object({ count: z.number() });

async function open(store: MemoryStore): Promise<Documents<z.infer<typeof schema>>> {
  const documents = new Documents({ store, name: "counts", schema, log: pino({ level: "silent" }) });
  await documents.start();
  return documents;
}

describe("documents", () => {
  it("are changed by many brokers at once without losing a change", async () => {
    const store = new MemoryStore();
    const brokers = await Promise.all([open(store), open(store), open(store)]);
    await Promise.all(Array.from({ length: 12 }, (_, index) => brokers[index % 3]!.change("a", (known) => ({ count: (known?.count ?? 0) + 1 }))));
    expect(await brokers[0].read("a")).toMatchObject({ value: { count: 12 } });
  });

  it("are seen by whoever wrote them at once, and by others when the bucket tells", async () => {
    const store = new MemoryStore();
    const [writer, reader] = [await open(store), await open(store)];
    const heard = new Promise((resolve) => reader.onChange((key, value) => resolve({ key, value })));
    await writer.create("a", { count: 1 });
    expect(writer.peek("a")).toEqual({ count: 1 });
    expect(await heard).toEqual({ key: "a", value: { count: 1 } });
    expect([...reader.values()]).toEqual([{ count: 1 }]);
  });

  it("are created once, and replaced only as they were read", async () => {
    const documents = await open(new MemoryStore());
    expect(await documents.create("a", { count: 1 })).toBe(true);
    expect(await documents.create("a", { count: 2 })).toBe(false);
    const found = await documents.read("a");
    expect(await documents.replace("a", { count: 3 }, found!.revision)).toBe(true);
    expect(await documents.replace("a", { count: 4 }, found!.revision)).toBe(false);
  });

  it("written by another version are refused, not guessed at", async () => {
    const store = new MemoryStore();
    const documents = await open(store);
    await (await store.bucket("counts")).put("a", new TextEncoder().encode('{"count":"many"}'));
    await expect(documents.read("a")).rejects.toThrow("written by another version");
  });
});
