import { describe, expect, it } from "vitest";
import { createInvocationId } from "./invocation-id.ts";
import { invocationIdSchema } from "./names.ts";

describe("createInvocationId()", () => {
  it("is a UUIDv7 of the time and the random bytes given", () => {
    // The example of RFC 9562, A.6.
    const random = Uint8Array.of(0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f);
    expect(createInvocationId(0x017f22e279b0, random)).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    expect(createInvocationId(0, new Uint8Array(10))).toBe("00000000-0000-7000-8000-000000000000");
    expect(createInvocationId(2 ** 48 - 1, new Uint8Array(10).fill(255))).toBe("ffffffff-ffff-7fff-bfff-ffffffffffff");
  });

  it("is what a name's grammar allows, sorts by time, and never comes twice", () => {
    const ids = Array.from({ length: 1_000 }, (_, index) => createInvocationId(index));
    expect(ids.every((id) => invocationIdSchema.safeParse(id).success)).toBe(true);
    expect(ids.toSorted()).toEqual(ids);
    expect(new Set(Array.from({ length: 1_000 }, () => createInvocationId(0))).size).toBe(1_000);
  });
});
