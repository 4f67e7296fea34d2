import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { resolveAgentConfig } from "../config.ts";
import { defaultAccess, readRegistryAccess } from "./settings.ts";

const read = (registries: unknown) => resolveAgentConfig({ flags: { registries }, environment: {}, file: undefined }).registries;

describe("the setting registries", () => {
  it("says how a registry is reached", () => {
    const [lab] = readRegistryAccess(read([{ host: "Lab.plant:5000", plainHttp: true, mirrors: ["https://mirror.plant"] }]));
    expect(lab).toMatchObject({ host: "lab.plant:5000", isPlain: true, ca: undefined });
    expect([lab?.url.href, lab?.mirrors.map(({ href }) => href)]).toEqual(["http://lab.plant:5000/", ["https://mirror.plant/"]]);
  });

  it("adds an authority to those that everybody trusts", () => {
    const folder = mkdtempSync(join(tmpdir(), "longshore-ca-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const caFile = join(folder, "ca.pem");
    writeFileSync(caFile, "-----BEGIN CERTIFICATE-----\nof the plant\n");
    const [access] = readRegistryAccess(read([{ host: "a.plant", caFile }]));
    expect(access?.ca?.at(-1)).toContain("of the plant");
    expect(access?.ca?.length).toBeGreaterThan(10);
    writeFileSync(caFile, "nothing");
    expect(() => readRegistryAccess(read([{ host: "a.plant", caFile }]))).toThrow(/caFile.*no certificate/);
  });

  it("is JSON in the environment", () => {
    const { registries } = resolveAgentConfig({ environment: { LONGSHORE_AGENT_REGISTRIES: '[{"host":"a.plant","plainHttp":true}]' }, file: undefined });
    expect(registries).toEqual([{ host: "a.plant", plainHttp: true, mirrors: [] }]);
  });

  it.each([
    ["a text that is no JSON", "a.plant", "registries"],
    ["an unknown key", [{ host: "a.plant", ca: "x" }], "registries[0].ca"],
    ["a mirror with a path", [{ host: "a.plant", mirrors: ["https://m/v2/x"] }], "registries[0].mirrors[0]"],
  ])("refuses %s", (_, value, field) => {
    expect(() => read(value)).toThrow(expect.objectContaining({ reason: "bad_schema", field: expect.stringContaining(field) }));
  });

  it.each([
    ["a host that is none", [{ host: "not a host" }], "registries[0].host"],
    ["a host twice", [{ host: "a.plant" }, { host: "A.plant" }], "registries[1].host"],
    ["a CA for plain HTTP", [{ host: "a.plant", plainHttp: true, caFile: "/x" }], "registries[0].caFile"],
    ["a CA that cannot be read", [{ host: "a.plant", caFile: "/nowhere" }], "registries[0].caFile"],
  ])("cannot be used with %s", (_, value, field) => {
    expect(() => readRegistryAccess(read(value))).toThrow(expect.objectContaining({ field }));
  });

  it.each([
    ["docker.io", "https://registry-1.docker.io/"],
    ["ghcr.io", "https://ghcr.io/"],
    ["localhost:5000", "http://localhost:5000/"],
    ["127.0.0.1:5000", "http://127.0.0.1:5000/"],
  ])("leaves %s as engines reach it", (host, url) => {
    expect(defaultAccess(host).url.href).toBe(url);
  });
});
