import { describe, expect, it } from "vitest";
import { signWebhook } from "./webhook-signature.ts";

/** The test vector of Standard Webhooks' own libraries. */
const vector = {
  secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
  parts: { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", timestampSeconds: 1_614_265_330, body: Buffer.from('{"test": 2432232314}') },
  signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
};
const other = `whsec_${"A".repeat(32)}`;

describe("signWebhook()", () => {
  it("signs as Standard Webhooks does", () => {
    expect(signWebhook(vector.parts, [vector.secret])).toBe(vector.signature);
  });

  it("signs with each secret, so that receivers may change over", () => {
    const [first, second, ...rest] = signWebhook(vector.parts, [other, vector.secret]).split(" ");
    expect([second, rest]).toEqual([vector.signature, []]);
    expect(first).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
    expect(first).not.toBe(vector.signature);
  });

  it.each([{ id: "msg_other" }, { timestampSeconds: 1_614_265_331 }, { body: Buffer.from('{"test":2432232314}') }])("signs all of it: %j makes another signature", (change) => {
    expect(signWebhook({ ...vector.parts, ...change }, [vector.secret])).not.toBe(vector.signature);
  });

  it("signs the body's bytes, whatever they are", () => {
    expect(signWebhook({ ...vector.parts, body: Uint8Array.of(0xff) }, [vector.secret])).not.toBe(signWebhook({ ...vector.parts, body: Uint8Array.of(0xfe) }, [vector.secret]));
  });

  it("refuses a secret that is none, and does not tell it", () => {
    expect(() => signWebhook(vector.parts, ["whsec_short"])).toThrow(expect.objectContaining({ reason: "unexpected", message: expect.not.stringContaining("short") }));
  });
});
