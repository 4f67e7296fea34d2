import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseLine } from "../command-line/parse.ts";
import { deploy } from "../commands/deploy.ts";
import { finishDocument, overlay } from "./draft.ts";
import { readFunctionFlags } from "./flags.ts";
import { findSource } from "./source.ts";
import { parseFunctionFile } from "./yaml-file.ts";

const parse = (text: string, environment: NodeJS.ProcessEnv = {}) => parseFunctionFile(text, "longshore.yaml", environment);
const finish = (text: string) => finishDocument(parse(text));
const flags = (...words: string[]) => {
  const line = parseLine(deploy, words);
  return readFunctionFlags(line.options as Parameters<typeof readFunctionFlags>[0], line.rest);
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "longshore-test-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("a function file", () => {
  it("takes human units under short names and under full ones", () => {
    expect(finish("name: a\nimage: b\nmemory: 512MiB\ntimeout: 10s\nstopGrace: 250ms\nscratch: 1GiB\ncpu: 0.5\nstartTimeoutMs: 2m")).toEqual({
      name: "a", image: "b", memoryBytes: 2 ** 29, timeoutMs: 10_000, stopGraceMs: 250, scratchBytes: 2 ** 30, cpuMillis: 500, startTimeoutMs: 120_000,
    });
    expect(finish("name: a\nimage: b\nmemoryBytes: 268435456\ntimeoutMs: 1500\ncpu: 250m")).toMatchObject({ memoryBytes: 2 ** 28, timeoutMs: 1500, cpuMillis: 250 });
  });

  it("takes values as they are written: nothing turns into a boolean or loses a zero", () => {
    expect(finish("name: a\nimage: b\nenv: {VERSION: 1.10, NORWAY: no, PORT: 0080, EMPTY: ''}\nargs: [-n, 5, true]\nport: 8080\nidempotent: true")).toMatchObject({
      env: { VERSION: "1.10", NORWAY: "no", PORT: "0080", EMPTY: "" }, args: ["-n", "5", "true"], port: 8080, idempotent: true,
    });
  });

  it("takes placement rules", () => {
    expect(finish("name: a\nimage: b\nplacement:\n  sites: plant\n  require: {gpu: true}\n  prefer: [rack=3, {key: disk, value: ssd}]\n  residency: [eu]").placement).toEqual({
      sites: ["plant"], require: { gpu: "true" }, prefer: [{ key: "rack", value: "3" }, { key: "disk", value: "ssd" }], residency: ["eu"],
    });
  });

  it("takes destinations whole or in a word", () => {
    expect(finish("name: a\nimage: b\nsecrets: {HOOK: x}\ndestinations:\n  onSuccess: {url: https://a.example/x, secretName: HOOK}\n  onFailure: https://b.example").destinations).toEqual({
      onSuccess: { url: "https://a.example/x", secretName: "HOOK" }, onFailure: { url: "https://b.example" },
    });
    expect(finish("name: a\nimage: b\ndestinations: {onSuccess: {function: tidy}, onFailure: clean-up}").destinations).toEqual({ onSuccess: { function: "tidy" }, onFailure: { function: "clean-up" } });
  });

  it("takes secrets from files beside it, byte for byte, and from the environment", () => {
    writeFileSync(join(folder, "token.txt"), "\uFEFFs3cret\n");
    const draft = parseFunctionFile("secrets:\n  A: {file: token.txt}\n  B: {env: HOME_TOKEN}\n  C: plain", join(folder, "longshore.yaml"), { HOME_TOKEN: "h" });
    expect(draft.values.secrets).toEqual({ A: "\uFEFFs3cret\n", B: "h", C: "plain" });
  });

  it("takes JSON", () => {
    expect(finish('{"name": "a", "image": "b", "memoryBytes": 16777216, "idempotent": false, "env": {"A": "x"}}')).toEqual({ name: "a", image: "b", memoryBytes: 2 ** 24, idempotent: false, env: { A: "x" } });
  });

  it.each([
    ["name: a\nimage: b\nmemory: 256", /longshore\.yaml:3: memory "256": expected a whole number with B, KiB/],
    ["name: a\nimage: b\ntimeout: 5m; rm", /longshore\.yaml:3: timeout "5m; rm"/],
    ["name: a\nmemroy: 1MiB", /longshore\.yaml:2: there is no field "memroy"; did you mean memory\?/],
    ["name: a\nmemory: 1MiB\nmemoryBytes: 5", /longshore\.yaml:3: memoryBytes is the same field as memory/],
    ["name: a\nname: b", /longshore\.yaml:2: Map keys must be unique/],
    ["name: [a", /longshore\.yaml:1: /],
    ["", /longshore\.yaml:1: the file must be names with values/],
    ["- a", /longshore\.yaml:1: the file must be names with values/],
    ["name: a\n---\nname: b", /longshore\.yaml:3: a second document begins here/],
    ["name: a\nenv: [A]", /longshore\.yaml:2: env must be names with values/],
    ["name: a\nargs: x", /longshore\.yaml:2: args must be a list/],
    ["name: a\nport: 80b", /longshore\.yaml:2: port "80b": expected a whole number/],
    ["name: a\nidempotent: yes", /longshore\.yaml:2: idempotent "yes": expected true or false/],
    ["secrets:\n  A: {file: none.txt}", /longshore\.yaml:2: secrets\.A from .*none\.txt: ENOENT/],
    ["secrets:\n  A: {env: NOT_SET}", /longshore\.yaml:2: secrets\.A: the environment variable NOT_SET is not set/],
    ["secrets:\n  A: {vault: x}", /longshore\.yaml:2: secrets\.A takes one of file and env, not "vault"/],
    ["a: &a [*a, *a]", /there is no field "a"/],
  ])("refuses %j", (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });

  it.each([
    ["image: b", /Cannot deploy: name: is missing/],
    ["name: a\nimage: b\ndestinations:\n  onFailure: {url: ftp://a}", /longshore\.yaml:4: destinations\.onFailure\.url: must begin with http:\/\//],
    ["name: a\nimage: b\ndestinations:\n  onFailure: {method: GET}", /longshore\.yaml:4: destinations\.onFailure: must be \{ "url"/],
    ["name: a\nimage: b\ndestinations:\n  onError: b", /longshore\.yaml:4: destinations\.onError: Unrecognized key/],
    ["name: a.b\nimage: b", /longshore\.yaml:1: name: must be 1 to 50/],
    ["name: a\nimage: b\nmemory: 1MiB", /longshore\.yaml:3: memory: Too small/],
    ["name: a\nimage: b\n\nenv:\n  OK: x\n  LONGSHORE_X: y", /longshore\.yaml:5: env: must not set LONGSHORE_ variables/],
    ["name: a\nimage: b\nplacement:\n  stes: [x]", /longshore\.yaml:4: placement\.stes: Unrecognized key/],
    ["name: a\nimage: b\nplacement:\n  sites:\n  - ok\n  - 'No Such'", /longshore\.yaml:6: placement\.sites\.1: must be 1 to 63/],
    ["name: a\nimage: b\nnetwork: internal", /longshore\.yaml:3: network: Invalid option/],
  ])("with a value that no function can have is refused with its line: %j", (text, message) => {
    expect(() => finish(text)).toThrow(message);
  });
});

describe("options of deploy", () => {
  it("give every field", () => {
    const words = "--image b --contract http --command sh --command -c -e A=1 --env B=x=y --secret S=t --port 80 --start-probe /ready --concurrency 4 --memory 64MiB --cpu 2 --timeout 5s --start-timeout 10s --stop-grace 1s --scratch 8MiB --network none --profile strict --runtime runsc --azure-function HttpExample --azure-trigger item --content-type text/plain --min-instances 1 --max-instances-per-agent 3 --idempotent --retry never --site plant --site cloud --require gpu=true --prefer disk=ssd --residency eu --on-success https://a.example/x --on-failure clean-up -- a -b";
    expect(flags(...words.split(" ")).values).toEqual({
      image: "b", contract: "http", command: ["sh", "-c"], args: ["a", "-b"], env: { A: "1", B: "x=y" }, secrets: { S: "t" }, port: 80, startProbePath: "/ready", concurrency: 4,
      memoryBytes: 2 ** 26, cpuMillis: 2000, timeoutMs: 5000, startTimeoutMs: 10_000, stopGraceMs: 1000, scratchBytes: 2 ** 23, network: "none", profile: "strict", runtime: "runsc",
      azureFunction: "HttpExample", azureTrigger: "item", contentType: "text/plain", minInstances: 1, maxInstancesPerAgent: 3, idempotent: true, retry: "never",
      placement: { sites: ["plant", "cloud"], require: { gpu: "true" }, prefer: [{ key: "disk", value: "ssd" }], residency: ["eu"] },
      destinations: { onSuccess: { url: "https://a.example/x" }, onFailure: { function: "clean-up" } },
    });
  });

  it("name themselves when they are wrong", () => {
    expect(() => flags("--memory", "256")).toThrow(/--memory "256"/);
    expect(() => flags("--env", "A")).toThrow(/--env "A": expected key=value/);
    expect(() => flags("--env", "A=1", "--env", "A=2")).toThrow(/--env: "A" was given twice/);
    expect(() => finishDocument(overlay(flags("--image", "b", "--memory", "1MiB"), { values: { name: "a" }, locate: () => "NAME" }))).toThrow(/Cannot deploy: --memory: Too small/);
    expect(() => finishDocument(overlay(flags("--image", "b", "--site", "X"), { values: { name: "a" }, locate: () => "NAME" }))).toThrow(/Cannot deploy: --site: must be 1 to 63/);
    expect(() => finishDocument(overlay(flags("--image", "b", "--on-failure", "ftp://a"), { values: { name: "a" }, locate: () => "NAME" }))).toThrow(/Cannot deploy: --on-failure url: must begin with http/);
  });

  it("win over the file, env key by key", () => {
    const merged = overlay(parse("name: a\nimage: b\nmemory: 16MiB\nenv: {A: 1, B: 2}"), flags("--memory", "32MiB", "--env", "B=3"));
    expect(finishDocument(merged)).toEqual({ name: "a", image: "b", memoryBytes: 2 ** 25, env: { A: "1", B: "3" } });
  });
});

describe("findSource()", () => {
  const source = (operand: string | undefined, file?: string, ...words: string[]) => findSource({ operand, file, flags: flags(...words), environment: {} });

  it("takes a name with an image", () => {
    expect(source("resize", undefined, "--image", "b")).toMatchObject({ draft: { values: { name: "resize", image: "b" } }, buildFolder: undefined });
  });

  it("builds a folder with a Dockerfile, named after it unless its file says otherwise", () => {
    writeFileSync(join(folder, "Dockerfile"), "FROM scratch");
    expect(source(folder)).toMatchObject({ buildFolder: folder, draft: { values: { name: folder.split("/").at(-1)?.toLowerCase().replace(/[^a-z0-9]+/g, "-") } } });
    writeFileSync(join(folder, "longshore.yaml"), "name: own\nmemory: 16MiB");
    expect(source(folder)).toMatchObject({ buildFolder: folder, draft: { values: { name: "own", memoryBytes: 2 ** 24 } } });
    expect(source(undefined, join(folder, "longshore.yaml"))).toMatchObject({ buildFolder: folder });
    expect(source("other", join(folder, "longshore.yaml"), "--image", "b")).toMatchObject({ buildFolder: undefined, draft: { values: { name: "other", image: "b" } } });
  });

  it("says what is missing", () => {
    expect(() => source("resize")).toThrow(/"resize": it is no folder, and no image is named/);
    expect(() => source(folder)).toThrow(/no image is named, and there is no Dockerfile/);
    expect(() => source(undefined)).toThrow(/no image is named/);
    expect(() => source(undefined, join(folder, "none.yaml"))).toThrow(/there is no such file/);
  });
});
