import { describe, expect, it } from "vitest";
import { lifeOf, untilRenewalMs } from "./credential-life.ts";

const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.sig`;

describe("a credential's life", () => {
  it("is read from its JWT", () => {
    expect(lifeOf(jwt({ iat: 100, exp: 160 }))).toEqual({ issuedAtMs: 100_000, expiresAtMs: 160_000 });
    expect(lifeOf(jwt({ iat: 100 }))).toBeUndefined();
    expect(() => lifeOf("nonsense")).toThrow();
  });

  it("is renewed at two thirds, and at once when that is past", () => {
    const life = { issuedAtMs: 0, expiresAtMs: 90_000 };
    expect(untilRenewalMs(life, 0)).toBe(60_000);
    expect(untilRenewalMs(life, 59_000)).toBe(1_000);
    expect(untilRenewalMs(life, 70_000)).toBe(0);
  });
});
