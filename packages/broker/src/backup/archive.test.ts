import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { seededRandom } from "../testing/random.ts";
import { readArchive } from "./read-archive.ts";
import { type PartSource, writeArchive } from "./write-archive.ts";

let folder: string;
beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "longshore-archive-"))));
afterEach(() => rmSync(folder, { recursive: true }));

const head = { productVersion: "0.1.0", createdAt: "2026-11-28T12:00:00.000Z", fleetAccountKey: "A1" };
const file = () => join(folder, "fleet.tar");

function part(path: string, text: string, changes: Partial<PartSource> = {}): PartSource {
  const content = Buffer.from(text);
  return { path, sizeBytes: content.length, sha256: createHash("sha256").update(content).digest("hex"), content, ...changes };
}
const stream = (name: string, text: string) => part(`streams/${name}.jsonl`, text, { stream: { settings: { name }, messages: 1 } });
const twoParts = () => [stream("queue", "line\n".repeat(400)), part("files/nats/keys.json", '{"a":1}')];

async function read(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  await readArchive(file(), async ({ path }, content) => void (found[path] = (await buffer(content)).toString()));
  return found;
}

/** What a file is refused with. */
const refusal = (what: string): unknown => expect.objectContaining({ reason: "backup_damaged", message: expect.stringContaining(what) });

describe("an archive", () => {
  it("comes back as it was written, and only its owner may read it", async () => {
    await writeArchive(file(), head, twoParts());
    expect(await read()).toEqual({ "streams/queue.jsonl": "line\n".repeat(400), "files/nats/keys.json": '{"a":1}' });
    expect(await readArchive(file(), () => Promise.resolve())).toMatchObject({ version: 1, ...head });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
  });

  it("takes content from files, of any size", async () => {
    const text = "0123456789".repeat(300_000);
    writeFileSync(join(folder, "big"), text);
    await writeArchive(file(), head, [{ ...stream("queue", text), content: { file: join(folder, "big") } }]);
    expect((await read())["streams/queue.jsonl"]).toBe(text);
  });

  it("takes what is in memory, of any size, and a manifest of any length", async () => {
    for (const length of [16_000, 16_384, 16_385, 200_000]) {
      const text = "x".repeat(length);
      const settings = { name: "queue", description: text };
      await writeArchive(file(), head, [stream("queue", "line\n"), part("files/nats/keys.json", text)].map((each) => ({ ...each, ...(each.stream && { stream: { settings, messages: 1 } }) })));
      expect(await read()).toEqual({ "streams/queue.jsonl": "line\n", "files/nats/keys.json": text });
      rmSync(file());
    }
  });

  it("is never written over a file", async () => {
    writeFileSync(file(), "mine");
    await expect(writeArchive(file(), head, twoParts())).rejects.toThrow("EEXIST");
    expect(readFileSync(file(), "utf8")).toBe("mine");
  });

  it("is refused wherever it was cut off", { timeout: 60_000 }, async () => {
    await writeArchive(file(), head, twoParts());
    const whole = readFileSync(file());
    const endOfParts = whole.length - 1_024; // Two empty blocks end a tar.
    for (let size = 0; size < endOfParts; size += 512) {
      writeFileSync(file(), whole.subarray(0, size));
      await expect(read(), `cut at ${size}`).rejects.toThrow(refusal(""));
    }
    writeFileSync(file(), whole.subarray(0, endOfParts - 1_024));
    await expect(read()).rejects.toThrow(refusal('cut off: "files/nats/keys.json" is missing'));
  });

  it("is refused when a bit of it was changed, wherever that means anything", { timeout: 60_000 }, async () => {
    const seed = 1;
    const random = seededRandom(seed);
    await writeArchive(file(), head, twoParts());
    const [whole, content] = [readFileSync(file()), await read()];
    for (let tried = 0; tried < 150; tried += 1) {
      const at = Math.floor(random() * whole.length);
      const changed = Buffer.from(whole);
      changed.writeUInt8(whole.readUInt8(at) ^ (1 << (tried % 8)), at);
      writeFileSync(file(), changed);
      const found = await read().catch((error: unknown) => error);
      // Bytes between the parts belong to none.
      if (whole.readUInt8(at) !== 0 || found instanceof Error) expect(found, `seed ${seed}, byte ${at}`).toEqual(refusal(""));
      else expect(found, `seed ${seed}, byte ${at}`).toEqual(content);
    }
  });

  it("is refused when it is another kind of file", async () => {
    writeFileSync(file(), "no tar at all ".repeat(100));
    await expect(read()).rejects.toThrow(refusal("it is no backup of Longshore"));
    writeFileSync(file(), "");
    await expect(read()).rejects.toThrow(refusal("it is no backup of Longshore"));
    await expect(readArchive(join(folder, "none.tar"), () => Promise.resolve())).rejects.toThrow(expect.objectContaining({ reason: "bad_schema", field: "file" }));
  });

  it("is refused when it would put files where a backup has none", async () => {
    for (const path of ["files/../../etc/passwd", "files/nats/accounts/../keys.json", "files/other", "/etc/passwd", "streams/KV_x.jsonl"]) {
      await writeArchive(file(), head, [part(path, "x")]);
      await expect(read(), path).rejects.toThrow(refusal("a part that no backup has"));
      rmSync(file());
    }
  });
});
