import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { formatManifest, parseManifest } from "./manifest.ts";

const head = { productVersion: "0.1.0", createdAt: "2026-11-28T12:00:00.000Z", fleetAccountKey: "A1", parts: [] };
const checksumOf = (text: string) => `${createHash("sha256").update(text).digest("hex")}  manifest.json\n`;
const refusal = (what: string): unknown => expect.objectContaining({ reason: "backup_damaged", message: expect.stringContaining(what) });

describe("a manifest", () => {
  it("comes back as it was, with the version of the format", () => {
    const { text, checksum } = formatManifest(head);
    expect(parseManifest("f.tar", text, checksum)).toEqual({ format: "longshore-backup", version: 1, ...head });
    expect(checksum).toBe(checksumOf(text)); // As `sha256sum --check` reads it.
  });

  it("of another version is refused, naming both", () => {
    const text = formatManifest(head).text.replace('"version": 1', '"version": 2');
    expect(() => parseManifest("f.tar", text, checksumOf(text))).toThrow(refusal('Cannot restore "f.tar": it is of format version 2, and this build reads version 1'));
  });

  it("that was changed is refused", () => {
    const { text, checksum } = formatManifest(head);
    expect(() => parseManifest("f.tar", text.replace("2026", "2025"), checksum)).toThrow(refusal("does not match its checksum"));
    expect(() => parseManifest("f.tar", text, "")).toThrow(refusal("does not match its checksum"));
  });

  it("of something else is refused", () => {
    for (const text of ["{}", "[]", "no JSON", '{"format":"other","version":1}']) expect(() => parseManifest("f.tar", text, checksumOf(text))).toThrow(refusal("no backup of Longshore"));
    const gap = '{"format":"longshore-backup","version":1}';
    expect(() => parseManifest("f.tar", gap, checksumOf(gap))).toThrow(refusal("is not as this format says"));
  });
});
