import { describe, expect, it } from "vitest";
import { functionView } from "../testing/views.ts";
import { documentOf, emptyDeployForm, formOf } from "./deploy-form.ts";

const filled = { ...emptyDeployForm, name: "resize", image: "ghcr.io/acme/resize:1" };
const faultOf = (changes: Partial<typeof filled>) => {
  const read = documentOf({ ...filled, ...changes });
  return "field" in read ? `${read.field}: ${read.message}` : undefined;
};

describe("a form", () => {
  it("is a document with what was filled in", () => {
    expect(documentOf(filled)).toEqual({ document: { name: "resize", image: "ghcr.io/acme/resize:1", memoryBytes: 256 * 2 ** 20, timeoutMs: 30_000 } });
    expect(documentOf({ ...filled, contract: "stdio", sites: "plant, cloud", env: "A=1=2\n\nB=", secrets: "K=s", minInstances: "2", more: '{"idempotent":true,"timeoutMs":5}' })).toEqual({
      document: { name: "resize", image: "ghcr.io/acme/resize:1", contract: "stdio", memoryBytes: 256 * 2 ** 20, timeoutMs: 5, minInstances: 2, placement: { sites: ["plant", "cloud"] }, env: { A: "1=2", B: "" }, secrets: { K: "s" }, idempotent: true },
    });
  });

  it("names the field that cannot be read", () => {
    expect([faultOf({ name: " " }), faultOf({ memoryMib: "lots" }), faultOf({ env: "A=1\nnone" }), faultOf({ more: "[1]" })]).toEqual(["name: Is missing", "memoryMib: Must be a whole number", "env: Line 2 is no variable: expected NAME=value", 'more: Must be an object, as {"idempotent": true}']);
    expect(faultOf({ more: "{" })).toMatch(/^more: Is no JSON/);
  });
});

describe("the form of a revision", () => {
  it("would deploy that very image with the same settings", () => {
    const view = functionView("resize", { image: "reg.example:5000/resize:2", idempotent: true, env: { A: "1" }, placement: { sites: ["plant" as never] }, contract: "lambda", concurrency: 1 });
    expect(documentOf(formOf(view))).toEqual({
      document: { name: "resize", image: `reg.example:5000/resize@sha256:${"a".repeat(64)}`, contract: "lambda", memoryBytes: 256 * 2 ** 20, timeoutMs: 30_000, placement: { sites: ["plant"] }, env: { A: "1" }, idempotent: true },
    });
  });

  it("leaves no setting out: other placement, values of several lines, secrets by name", () => {
    const view = functionView("f", { env: { A: "1\n2" }, placement: { sites: ["plant" as never], require: { gpu: "true" } }, secretNames: ["TOKEN"] });
    const form = formOf(view);
    expect(documentOf(form)).toMatchObject({ document: { env: { A: "1\n2" }, placement: { sites: ["plant" as never], require: { gpu: "true" } }, secrets: { TOKEN: "" } } });
  });
});
