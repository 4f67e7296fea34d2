import { LongshoreError } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { createNonce, encodeHoldFrame, type HoldStatus, nonceBytes, TrailerScanner } from "./frame.ts";

/** Repeatable numbers in 0..limit-1. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
    return ((bits ^ (bits >>> 14)) >>> 0) % limit;
  };
}

const nonce = Uint8Array.from({ length: nonceBytes }, (_, index) => 200 + index);

function trailerOf(ending: number, value: number, oomKills: number, itsNonce = nonce): Buffer {
  const numbers = Buffer.alloc(12);
  numbers.writeUInt32LE(ending);
  numbers.writeUInt32LE(value, 4);
  numbers.writeUInt32LE(oomKills, 8);
  return Buffer.concat([itsNonce, numbers]);
}

function statusOf(trailer: Uint8Array): HoldStatus | undefined {
  const scanner = new TrailerScanner(nonce);
  scanner.push(trailer);
  return scanner.status;
}

describe("encodeHoldFrame()", () => {
  it("writes length, nonce and entries ended by NUL", () => {
    const frame = Buffer.from(encodeHoldFrame({ nonce, env: ["A=1", "TEXT=ä\nb=c", "EMPTY="] }));
    expect(frame.readUInt32LE()).toBe(frame.length - 4);
    expect(frame.subarray(4, 20)).toEqual(Buffer.from(nonce));
    expect(frame.subarray(20).toString()).toBe("A=1\0TEXT=ä\nb=c\0EMPTY=\0");
  });

  it("is as short as its nonce without variables", () => {
    expect(encodeHoldFrame({ nonce, env: [] })).toHaveLength(20);
  });

  it.each(["NAME", "=value", "", "A=\0", "A\0B=1"])("refuses the entry %j, naming it", (entry) => {
    const encode = () => encodeHoldFrame({ nonce, env: ["GOOD=1", entry] });
    expect(encode).toThrow(LongshoreError);
    expect(encode).toThrow(expect.objectContaining({ reason: "bad_schema", field: "env[1]" }));
  });

  it("refuses more than hold takes", () => {
    const room = 2 ** 20 - nonceBytes - "A=\0".length;
    expect(encodeHoldFrame({ nonce, env: [`A=${"x".repeat(room)}`] })).toHaveLength(2 ** 20 + 4);
    expect(() => encodeHoldFrame({ nonce, env: [`A=${"x".repeat(room + 1)}`] })).toThrow(expect.objectContaining({ field: "env" }));
  });
});

describe("TrailerScanner", () => {
  it("passes every end of a text at once, whatever its nonce is", () => {
    for (let byte = 0; byte < 256; byte += 1) {
      const scanner = new TrailerScanner(createNonce((length) => new Uint8Array(length).fill(byte)));
      const text = Buffer.from(`${String.fromCodePoint(byte)}\n`);
      expect(Buffer.from(scanner.push(text))).toEqual(text);
    }
  });

  it("tells the endings apart", () => {
    expect(statusOf(trailerOf(0, 3, 0))).toEqual({ kind: "exited", code: 3, oomKills: 0 });
    expect(statusOf(trailerOf(1, 9, 1))).toEqual({ kind: "signalled", signal: "SIGKILL", oomKills: 1 });
    expect(statusOf(trailerOf(1, 64, 0xffffffff))).toEqual({ kind: "signalled", signal: "SIG64", oomKills: undefined });
    expect(statusOf(trailerOf(2, 127, 0))).toEqual({ kind: "not_started", code: 127, oomKills: 0 });
  });

  it("passes everything on, cut wherever it is cut, beginnings of the nonce among it", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = createRandom(seed);
      const pieces = Array.from({ length: random(8) }, () => {
        if (random(2) === 0) return nonce.subarray(0, random(nonceBytes));
        return Uint8Array.from({ length: random(200) }, () => 195 + random(24));
      });
      const output = Buffer.concat(pieces);
      const hasTrailer = random(4) !== 0;
      const stream = hasTrailer ? Buffer.concat([output, trailerOf(0, 7, 0)]) : output;
      const scanner = new TrailerScanner(nonce);
      const passed: Uint8Array[] = [];
      for (let at = 0; at < stream.length; ) {
        const length = 1 + random(random(3) === 0 ? 400 : 5);
        passed.push(Buffer.from(scanner.push(stream.subarray(at, at + length))));
        at += length;
      }
      passed.push(scanner.end());
      expect(Buffer.concat(passed).equals(output), `seed ${seed}`).toBe(true);
      expect(scanner.status, `seed ${seed}`).toEqual(hasTrailer ? { kind: "exited", code: 7, oomKills: 0 } : undefined);
    }
  });

  it("holds back nothing that cannot be the trailer, and copies nothing", () => {
    const scanner = new TrailerScanner(nonce);
    const chunk = Buffer.from("data: one event\n\n");
    const passed = scanner.push(chunk);
    expect(passed).toHaveLength(chunk.length);
    expect(passed.buffer).toBe(chunk.buffer);
    expect(scanner.end()).toHaveLength(0);
  });

  it("holds back at most what a trailer is long, without keeping the chunk it came in", () => {
    const scanner = new TrailerScanner(nonce);
    const whole = Buffer.concat([Buffer.alloc(1000), trailerOf(0, 0, 0).subarray(0, 27)]);
    expect(scanner.push(whole)).toHaveLength(1000);
    const held = scanner.end();
    expect(held).toHaveLength(27);
    expect(held.buffer.byteLength).toBe(27);
  });

  it("drops what comes after the trailer", () => {
    const scanner = new TrailerScanner(nonce);
    expect(Buffer.from(scanner.push(Buffer.concat([Buffer.from("out"), trailerOf(0, 0, 0), Buffer.from("late")]))).toString()).toBe("out");
    expect(scanner.push(Buffer.from("later"))).toHaveLength(0);
    expect(scanner.end()).toHaveLength(0);
  });

  it("does not take another instance's trailer for its own", () => {
    const foreign = trailerOf(0, 0, 0, Uint8Array.from(nonce, (byte) => byte ^ 1));
    expect(statusOf(foreign)).toBeUndefined();
  });

  it("does not make a status of an ending it does not know", () => {
    const scanner = new TrailerScanner(nonce);
    const unknown = trailerOf(9, 0, 0);
    const stream = Buffer.concat([unknown, trailerOf(0, 5, 0)]);
    expect(Buffer.from(scanner.push(stream)).equals(unknown)).toBe(true);
    expect(scanner.status).toMatchObject({ kind: "exited", code: 5 });
  });
});
