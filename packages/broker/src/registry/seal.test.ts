import { describe, expect, it } from "vitest";
import { createSealKey, seal, unseal } from "./seal.ts";

describe("a sealed text", () => {
  const key = createSealKey();
  const sealed = seal("secret", "acme.resize.1", key);

  it("opens where it was sealed for, and looks different each time", () => {
    expect(unseal(sealed, "acme.resize.1", key)).toBe("secret");
    expect(seal("secret", "acme.resize.1", key)).not.toBe(sealed);
  });

  it("opens nowhere else, under no other key, and not when it was changed", () => {
    const [id = "", text = ""] = sealed.split(":");
    const bytes = Buffer.from(text, "base64");
    bytes[14] = (bytes[14] ?? 0) ^ 1;
    for (const open of [
      () => unseal(sealed, "other.resize.1", key),
      () => unseal(sealed, "acme.resize.1", createSealKey()),
      () => unseal(`${id}:${bytes.toString("base64")}`, "acme.resize.1", key),
      () => unseal(`${id}:`, "acme.resize.1", key),
      () => unseal("", "acme.resize.1", key),
    ]) expect(open).toThrow(expect.objectContaining({ reason: "unexpected" }));
  });
});
