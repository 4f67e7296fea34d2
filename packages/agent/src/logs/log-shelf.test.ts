import { describe, expect, it } from "vitest";
import { ManualClock } from "../testing/manual-clock.ts";
import { seededRandom } from "../testing/random.ts";
import { type LogLimits, LogShelf } from "./log-shelf.ts";
import { logLine } from "./testing/log-line.ts";

const lineBytes = 100 * 2 + 200;
const line = (text = "") => logLine(text.padEnd(100));

function scene(limits: Partial<LogLimits> = {}) {
  const clock = new ManualClock();
  const shelf = new LogShelf({ maxBytes: 10 * lineBytes, maxBytesPerFunction: 8 * lineBytes, maxFunctions: 100, retentionMs: 60_000, ...limits }, clock);
  const write = (name: string, count = 1) => {
    for (let index = 0; index < count; index += 1) shelf.append("default", name, line());
  };
  const ringOf = (name: string) => shelf.choose({ follows: (_, functionName) => functionName === name })[0];
  const kept = (name: string) => {
    const ring = ringOf(name);
    return ring === undefined ? undefined : ring.end - ring.begin;
  };
  return { clock, shelf, write, ringOf, kept };
}

describe("LogShelf", () => {
  it("stays within its bound over all functions: whoever wrote longest ago gives up lines first", () => {
    const { shelf, write, kept } = scene();
    write("old", 3);
    write("young", 3);
    write("loud", 6);
    expect(["old", "young", "loud"].map(kept)).toEqual([1, 3, 6]);
    write("loud", 100);
    expect(["old", "young", "loud"].map(kept)).toEqual([0, 2, 8]);
    expect(shelf.bytes).toBe(10 * lineBytes);
  });

  it("forgets a function that has written nothing for a while, and then waits for nothing", () => {
    const { clock, shelf, write, kept } = scene();
    write("quiet");
    clock.advance(40_000);
    write("other");
    expect(clock.pending).toBe(1);
    clock.advance(20_000);
    expect(["quiet", "other"].map(kept)).toEqual([undefined, 1]);
    clock.advance(60_000);
    expect({ bytes: shelf.bytes, pending: clock.pending }).toEqual({ bytes: 0, pending: 0 });
    write("quiet");
    shelf.close();
    expect(clock.pending).toBe(0);
  });

  it("forgets the function that wrote longest ago beyond its number of functions", () => {
    const { write, kept } = scene({ maxFunctions: 2 });
    write("one");
    write("two");
    write("one");
    write("three");
    expect(["one", "two", "three"].map(kept)).toEqual([2, undefined, 1]);
  });

  it("tells followers of their functions' lines, of new functions, and of what it forgets", () => {
    const { shelf, write } = scene({ maxFunctions: 1 });
    const heard: string[] = [];
    write("other");
    const leave = shelf.follow({ follows: (_, name) => name === "mine", ringAdded: () => heard.push("added"), written: (ring) => heard.push(ring.isRetired ? "retired" : "written") });
    write("other");
    write("mine");
    write("mine");
    write("other");
    leave();
    write("mine");
    expect(heard).toEqual(["added", "written", "written", "retired"]);
    expect(shelf.followerCount).toBe(0);
  });

  it("knows its bytes whatever is written, forgotten and cut", () => {
    for (let seed = 1; seed <= 30; seed += 1) {
      const { clock, shelf } = scene({ maxFunctions: 5 });
      const random = seededRandom(seed);
      for (let step = 0; step < 400; step += 1) {
        shelf.append("default", `f${Math.floor(random() * 9)}`, logLine("x".repeat(Math.floor(random() * 900))));
        if (random() < 0.05) clock.advance(random() * 40_000);
        const held = shelf.choose({ follows: () => true }).reduce((sum, ring) => sum + ring.bytes, 0);
        expect(shelf.bytes, `seed ${seed}`).toBe(held);
        expect(held, `seed ${seed}`).toBeLessThanOrEqual(10 * lineBytes);
      }
    }
  });
});
