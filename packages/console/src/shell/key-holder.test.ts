import { beforeEach, describe, expect, it } from "vitest";
import { keyLifeMs, KeyHolder, type TabStorage } from "./key-holder.ts";

let kept: Map<string, string>;
let storage: TabStorage;
let nowMs: number;
const now = () => nowMs;
beforeEach(() => {
  kept = new Map();
  nowMs = 1_000_000;
  storage = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value), removeItem: (name) => kept.delete(name) };
});

describe("a key", () => {
  it("stays in memory alone unless the tab is to keep it", () => {
    const holder = new KeyHolder(storage, now);
    holder.hold("lsk_a", { inTab: false });
    expect([holder.key, kept.size, new KeyHolder(storage, now).key]).toEqual(["lsk_a", 0, undefined]);
  });

  it("outlives a reload in its tab, for its life and no longer", () => {
    new KeyHolder(storage, now).hold("lsk_a", { inTab: true });
    nowMs += keyLifeMs - 1;
    const reloaded = new KeyHolder(storage, now);
    expect(reloaded.key).toBe("lsk_a");
    nowMs += 1;
    expect([reloaded.key, kept.size, new KeyHolder(storage, now).key]).toEqual([undefined, 0, undefined]);
  });

  it("is forgotten when it is told to, and when what is kept is not ours or claims too long a life", () => {
    const holder = new KeyHolder(storage, now);
    holder.hold("lsk_a", { inTab: true });
    holder.forget();
    expect([holder.key, kept.size]).toEqual([undefined, 0]);
    for (const text of ["{", "7", "null", JSON.stringify({ key: "lsk_a", untilMs: nowMs + keyLifeMs + 1 }), JSON.stringify({ key: 7, untilMs: nowMs + 1 })]) {
      kept.set("longshore.key", text);
      expect([new KeyHolder(storage, now).key, kept.size], text).toEqual([undefined, 0]);
    }
  });
});
