import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createFolderAside } from "./folder-aside.ts";
import { writeFolderFile } from "./folder-files.ts";

let data: string;
beforeEach(() => void (data = mkdtempSync(join(tmpdir(), "longshore-aside-"))));
afterEach(() => rmSync(data, { recursive: true }));

const nowMs = Date.UTC(2026, 10, 28, 12);
const put = (folder: string, path: string, text: string) => writeFolderFile(folder, { path, bytes: Buffer.from(text) });
const read = (...path: string[]) => readFileSync(join(data, ...path), "utf8");

describe("a folder aside", () => {
  it("takes the place of what stands, which is moved whole", () => {
    put(data, "nats/keys.json", "old");
    put(data, "certificates/ca.pem", "old ca");
    writeFileSync(join(data, "notes"), "stays");
    const aside = createFolderAside(data);
    put(aside.folder, "nats/keys.json", "new");
    put(aside.folder, "nats/credentials/cluster.json", "of the server that filled it");
    expect(read("nats", "keys.json")).toBe("old");
    const replaced = aside.takePlace(nowMs);
    expect(replaced).toBe(join(data, "replaced-2026-11-28T120000.000Z"));
    const moved = (...path: string[]) => read("replaced-2026-11-28T120000.000Z", ...path);
    expect([read("nats", "keys.json"), read("notes"), moved("nats", "keys.json"), moved("certificates", "ca.pem")]).toEqual(["new", "stays", "old", "old ca"]);
    expect(existsSync(join(data, "certificates"))).toBe(false); // Nothing of the old fleet is mixed in.
    expect(readdirSync(join(data, "nats"))).toEqual(["keys.json"]);
    expect(existsSync(aside.folder)).toBe(false);
  });

  it("takes an empty folder's place, and moves nothing", () => {
    mkdirSync(join(data, "nats"));
    const aside = createFolderAside(data);
    put(aside.folder, "nats/keys.json", "new");
    expect(aside.takePlace(nowMs)).toBeUndefined();
    expect(readdirSync(data)).toEqual(["nats"]);
  });

  it("begins empty, whatever one that was killed left", () => {
    mkdirSync(join(data, "restoring", "nats"), { recursive: true });
    const aside = createFolderAside(data);
    expect(readdirSync(aside.folder)).toEqual([]);
    aside.discard();
    aside.discard();
    expect(readdirSync(data)).toEqual([]);
  });
});
