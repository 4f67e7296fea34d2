import { describe, expect, it } from "vitest";
import { isLoopbackAddress, isOwnOrigin } from "./origin.ts";

describe("isOwnOrigin()", () => {
  it.each([
    [undefined, "127.0.0.1:4270", true],
    ["http://127.0.0.1:4270", "127.0.0.1:4270", true],
    ["http://[::1]:4270", "[::1]:4270", true],
    ["http://app.localhost:4270", "app.localhost:4270", true],
    ["http://localhost:4270", "LOCALHOST:4270", true],
    ["http://localhost:5173", "localhost:4270", false],
    ["http://evil.example", "127.0.0.1:4270", false],
    ["http://evil.example:4270", "evil.example:4270", false],
    ["http://127.0.0.1.evil.example", "127.0.0.1.evil.example", false],
    ["null", "127.0.0.1:4270", false],
    ["", "127.0.0.1:4270", false],
    ["http://localhost:4270", undefined, false],
    ["https://console.example", "127.0.0.1:4270", true],
  ])("for a page of %s at host %s says %s", (origin, host, expected) => {
    expect(isOwnOrigin(origin, host, ["https://console.example"])).toBe(expected);
  });
});

describe("isLoopbackAddress()", () => {
  it.each([["127.0.0.1", true], ["::1", true], ["::ffff:127.0.0.1", true], ["10.0.0.1", false], ["::ffff:10.0.0.1", false], [undefined, false]])("of %s is %s", (address, expected) => {
    expect(isLoopbackAddress(address)).toBe(expected);
  });
});
