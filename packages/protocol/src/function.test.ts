import { describe, expect, it } from "vitest";
import { parseDuration, parseSize } from "./duration.ts";
import { functionDocumentSchema, resolveFunction } from "./function.ts";
import { formatImageReference, parseImageReference } from "./image-reference.ts";
import { formatWhere, parseWhere } from "./where.ts";

const base = { name: "resize", image: "nginx" };

describe("a function document", () => {
  it("is complete with a name and an image", () => {
    const spec = resolveFunction(functionDocumentSchema.parse(base), "http");
    expect(spec).toMatchObject({ memoryBytes: 268_435_456, cpuMillis: 1000, timeoutMs: 30_000, startTimeoutMs: 60_000, stopGraceMs: 10_000, concurrency: 80, network: "internet", profile: "standard" });
    expect(resolveFunction(functionDocumentSchema.parse(base), "stdio").concurrency).toBe(1);
  });

  it.each([
    ["timeoutMs", 0], ["timeoutMs", -1], ["timeoutMs", Number.NaN], ["timeoutMs", "5m; rm"], ["memoryBytes", 1], ["concurrency", 1001], ["concurrency", 1.5],
    ["port", 65_536], ["env", { "A=B": "x" }], ["env", { A: "x\0y" }], ["env", { LONGSHORE_FUNCTION: "x" }], ["env", Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`V${index}`, ""]))],
    ["network", "host"], ["privileged", true], ["command", []], ["placement", { sites: ["a.b"] }], ["placement", { require: { "bad key": "x" } }], ["name", "a.b"], ["startProbePath", "health"], ["azureFunction", "9x"], ["azureTrigger", "a/b"],
  ])("is refused with %s = %j", (field, value) => {
    expect(functionDocumentSchema.safeParse({ ...base, [field]: value }).success).toBe(false);
  });

  it("keeps out what would reach a prototype", () => {
    expect(functionDocumentSchema.safeParse(JSON.parse('{"name":"a","image":"b","__proto__":{"x":1}}')).success).toBe(false);
  });
});

describe("an image reference", () => {
  it.each([
    ["nginx", "docker.io/library/nginx:latest"],
    ["acme/app:1.2", "docker.io/acme/app:1.2"],
    ["localhost:5000/app", "localhost:5000/app:latest"],
    ["registry.plant:5000/line/one:v1", "registry.plant:5000/line/one:v1"],
    [`ghcr.io/a/b:v1@sha256:${"0".repeat(64)}`, `ghcr.io/a/b@sha256:${"0".repeat(64)}`],
  ])("reads %s as %s", (text, written) => {
    expect(formatImageReference(parseImageReference(text))).toBe(written);
  });

  it.each(["", "Nginx", "a b", "a:", "a@sha256:12", "a//b", "http://x/y", "a:b:c", `a:${"t".repeat(200)}`, "../etc", "-a", "a/../b"])("refuses %j, naming the field", (text) => {
    expect(() => parseImageReference(text)).toThrow(expect.objectContaining({ reason: "bad_schema", field: "image" }));
  });
});

describe("where", () => {
  it("reads the header's form and writes it back", () => {
    const where = parseWhere("site=plant, label.gpu=true,label.acme.com/rack=7", "Longshore-Where");
    expect(where).toEqual({ site: "plant", labels: { gpu: "true", "acme.com/rack": "7" } });
    expect(parseWhere(formatWhere(where), "x")).toEqual(where);
  });

  it.each(["site", "site=a.b", "color=red", "label.=x", "site=*"])("refuses %j, naming the field", (text) => {
    expect(() => parseWhere(text, "Longshore-Where")).toThrow(expect.objectContaining({ field: "Longshore-Where" }));
  });
});

describe("quantities with units", () => {
  it("reads what people write", () => {
    expect([parseDuration("30s", "t"), parseDuration("250ms", "t"), parseDuration("1h", "t")]).toEqual([30_000, 250, 3_600_000]);
    expect([parseSize("256MiB", "m"), parseSize("1GB", "m")]).toEqual([268_435_456, 1e9]);
  });

  it.each(["30", "s", "5m; rm", "-1s", "1.5s", "1 parsec", "constructor"])("refuses %j, naming the field", (text) => {
    expect(() => parseDuration(text, "timeout")).toThrow(expect.objectContaining({ field: "timeout" }));
    expect(() => parseSize(text, "memory")).toThrow(expect.objectContaining({ field: "memory" }));
  });
});
