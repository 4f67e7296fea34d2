import { describe, expect, it } from "vitest";
import { destinationsSchema, webhookKeyOf, webhookSecretOf } from "./destination.ts";
import { parseInput } from "./error.ts";
import { functionDocumentSchema, resolveFunction } from "./function.ts";

const parse = (onSuccess: unknown) => parseInput(destinationsSchema, { onSuccess }, "destinations");
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

describe("a destination", () => {
  it.each([
    { url: "https://hooks.example.com/a?b=c" }, { url: "http://10.0.0.1:8080" }, { url: "HTTPS://[2001:db8::1]/" }, { url: `https://a/${"x".repeat(2_038)}` },
    { url: "https://a", secretName: "HOOK_SECRET" }, { url: "https://a/@user" }, { function: "resize" },
  ])("may be %j", (destination) => {
    expect(parse(destination)).toEqual({ onSuccess: destination });
  });

  it.each([
    "ftp://a/", "https:a.example", "https:/a", "https:///x", "https://", "https://:80/", "//a/", "javascript:alert(1)", "https://user@a/", "https://u:p@a/", "https://@a/", "https://a/#x", "https://a/#",
    " https://a/", "https://a/\n", "https://a/ b", "https:\\\\a\\", "https://a\\@b/", "https://bücher.example/", "https://a:99999/", "https://[::1/", "https://1.2.3.400/", `https://a/${"x".repeat(2_039)}`, "",
  ])("is refused with url %j, naming the field", (url) => {
    expect(() => parse({ url })).toThrow(expect.objectContaining({ reason: "bad_schema", field: "onSuccess.url" }));
  });

  it.each([
    [{ url: 5 }, "onSuccess"], [{}, "onSuccess"], ["https://a", "onSuccess"], [{ url: "https://a", function: "b" }, "onSuccess"], [{ url: "https://a", method: "GET" }, "onSuccess.method"],
    [{ url: "https://a", secretName: "" }, "onSuccess.secretName"], [{ function: "a.b" }, "onSuccess.function"], [{ function: "a", secretName: "B" }, "onSuccess.secretName"],
  ])("is refused as %j, naming %s", (destination, field) => {
    expect(() => parse(destination)).toThrow(expect.objectContaining({ reason: "bad_schema", field }));
  });
});

describe("a function with destinations", () => {
  const document = (secrets: Record<string, string>) =>
    functionDocumentSchema.parse({ name: "a", image: "b", secrets, destinations: { onFailure: { url: "https://a", secretName: "HOOK" }, onSuccess: { function: "c" } } });

  it("may name one of its own secrets to sign with", () => {
    expect(resolveFunction(document({ HOOK: secret }), "http").destinations).toEqual({ onFailure: { url: "https://a", secretName: "HOOK" }, onSuccess: { function: "c" } });
  });

  it.each([{}, { OTHER: secret }, { HOOK: "hush" }, { HOOK: "whsec_c2hvcnQ=" }])("is refused where that secret is none: %j", (secrets) => {
    expect(() => resolveFunction(document(secrets), "http")).toThrow(expect.objectContaining({ reason: "bad_schema", field: "destinations.onFailure.secretName" }));
  });
});

describe("a webhook secret", () => {
  it("is 24 to 64 bytes behind its mark, and is read as it was written", () => {
    for (const length of [24, 32, 64]) {
      const key = Uint8Array.from({ length }, (_, index) => index * 7);
      expect(webhookKeyOf(webhookSecretOf(key))).toEqual(key);
    }
    expect(webhookKeyOf(secret)).toHaveLength(24);
  });

  it.each(["", "whsec_", secret.slice(6), "whsec_MfKQ9r8G", `whsec_${"A".repeat(88)}`, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa-w", "WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])("is not %j", (text) => {
    expect(webhookKeyOf(text)).toBeUndefined();
  });
});
