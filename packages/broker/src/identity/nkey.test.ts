import * as reference from "@nats-io/nkeys";
import { describe, expect, it } from "vitest";
import { createNkey, isPublicKey, nkeyFromSeed, type NkeyRole, verifyByUser } from "./nkey.ts";

const roles: NkeyRole[] = ["operator", "account", "user"];
const bytes = (text: string) => new TextEncoder().encode(text);
const altered = (key: string) => key.slice(0, -1) + (key.endsWith("A") ? "B" : "A");

describe("a NATS key", () => {
  it.each(roles)("of an %s is spelled and signs as the NATS library does it", (role) => {
    const key = createNkey(role);
    const theirs = reference.fromSeed(bytes(key.seed));
    expect(theirs.getPublicKey()).toBe(key.publicKey);
    expect(Buffer.from(theirs.sign(bytes("text")))).toEqual(key.sign("text"));
  });

  it("made by the NATS library is read", () => {
    const theirs = reference.createUser();
    const key = nkeyFromSeed(new TextDecoder().decode(theirs.getSeed()), "user");
    expect(key.publicKey).toBe(theirs.getPublicKey());
    expect(verifyByUser(theirs.getPublicKey(), "text", theirs.sign(bytes("text")))).toBe(true);
  });

  it("verifies no other text, key or role", () => {
    const key = createNkey("user");
    expect(verifyByUser(key.publicKey, "text", key.sign("text"))).toBe(true);
    expect(verifyByUser(key.publicKey, "other", key.sign("text"))).toBe(false);
    expect(verifyByUser(createNkey("user").publicKey, "text", key.sign("text"))).toBe(false);
    expect(verifyByUser(createNkey("account").publicKey, "text", key.sign("text"))).toBe(false);
  });

  it.each(["", "U", "x".repeat(56), createNkey("user").publicKey.toLowerCase(), altered(createNkey("user").publicKey), `${createNkey("user").publicKey}A`])(
    "is not %j",
    (text) => {
      expect(isPublicKey(text, "user")).toBe(false);
      expect(() => nkeyFromSeed(text, "user")).toThrow("not the seed");
    },
  );

  it("is not taken for one of another role", () => {
    expect(() => nkeyFromSeed(createNkey("account").seed, "user")).toThrow("not the seed of a user key");
    expect(isPublicKey(createNkey("account").publicKey, "user")).toBe(false);
  });
});
