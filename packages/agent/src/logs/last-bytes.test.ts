import { describe, expect, it } from "vitest";
import { seededRandom } from "../testing/random.ts";
import { LastBytes } from "./last-bytes.ts";

describe("LastBytes", () => {
  it("are the end of the stream, however it is cut", () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const random = seededRandom(seed);
      const last = new LastBytes(10);
      let stream = Buffer.alloc(0);
      for (let step = 0; step < 60; step += 1) {
        const part = Buffer.from(Array.from({ length: Math.floor(random() * 25) }, () => Math.floor(random() * 256)));
        stream = Buffer.concat([stream, part]);
        last.push(part);
        expect(Buffer.from(last.bytes()).equals(stream.subarray(-10)), `seed ${seed}`).toBe(true);
        if (random() < 0.05) {
          last.clear();
          stream = Buffer.alloc(0);
        }
      }
    }
  });

  it("keep nothing of the buffers that they were given", () => {
    const last = new LastBytes(10);
    const reused = Buffer.from("first");
    last.push(reused);
    reused.fill("#");
    expect(Buffer.from(last.bytes()).toString()).toBe("first");
  });
});
