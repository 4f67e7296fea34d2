import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import Docker from "dockerode";
import type { FunctionDocument } from "@longshore/protocol";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { azureHandler, busyboxCommand, fastify, forkingServer, functionsFramework, nginxLight } from "../support/components.ts";
import { lambdaFunction } from "../support/lambda-functions.ts";
import { startFleet, type TestFleet } from "../support/fleet.ts";

const run = promisify(execFile);
const page = readFileSync(join(import.meta.dirname, "../../docs/contracts.md"), "utf8");
const command = join(import.meta.dirname, "../../packages/cli/bin/longshore.mjs");
const docker = new Docker();

/** The images that the page's commands name, in a registry that every reader puts their own in place of. */
const images: Record<string, () => Promise<FunctionDocument>> = {
  shop: () => fastify("shop"),
  pages: () => nginxLight("pages"),
  hello: () => functionsFramework("hello", "hello", "http"),
  events: () => functionsFramework("events", "onEvent", "cloudevent"),
  cgi: () => forkingServer("cgi"),
  faas: () => forkingServer("faas"),
  busybox: () => busyboxCommand("upper", "sh"),
  greeter: () => azureHandler("greeter"),
  resize: () => lambdaFunction("resize", "echo"),
};
const reference = (name: string) => `registry.plant:5000/${name}:1`;

/** The commands of each part of a document, in their order. */
function partsOf(document: string): { heading: string; commands: string }[] {
  return document.split(/^## /m).slice(1).flatMap((part) => {
    const commands = [...part.matchAll(/^```sh\n(.*?)^```$/gms)].map((match) => match[1] ?? "").join("");
    return commands === "" ? [] : [{ heading: part.slice(0, part.indexOf("\n")), commands }];
  });
}

describe("the page about contracts", () => {
  let test: TestFleet;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "longshore-page-"));
    // As on the reader's machine, but for images that no registry has, and a curl that fails where the function does.
    writeFileSync(join(folder, "longshore"), `#!/bin/sh\nverb=$1; shift\n[ "$verb" = deploy ] && set -- --local "$@"\nexec "${process.execPath}" "${command}" "$verb" "$@"\n`, { mode: 0o755 });
    writeFileSync(join(folder, "aws"), `#!/bin/sh\nexec "${process.env["LONGSHORE_AWS_CLI"] ?? "aws"}" "$@"\n`, { mode: 0o755 });
    writeFileSync(join(folder, "curl"), `#!/bin/sh\nexec /usr/bin/env PATH="\${PATH#*:}" curl -fsS "$@"\n`, { mode: 0o755 });
    for (const [name, document] of Object.entries(images)) await docker.getImage((await document()).image).tag({ repo: `registry.plant:5000/${name}`, tag: "1" });
    test = await startFleet({ sites: ["plant"] });
  });
  afterAll(async () => {
    await test.close();
    for (const name of Object.keys(images)) await docker.getImage(reference(name)).remove();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(partsOf(page))("has commands that run: $heading", async ({ commands }) => {
    const script = `set -e\n${commands.replaceAll("http://127.0.0.1:4270", test.url)}`;
    const env = { ...process.env, PATH: `${folder}:${process.env["PATH"] ?? ""}`, LONGSHORE_URL: test.url };
    const result = await run("sh", ["-c", script], { env, cwd: folder }).catch((error: unknown) => error as { stdout: string; stderr: string; code: number });
    expect("code" in result ? result : "it ran").toBe("it ran");
    for (const [, name = ""] of commands.matchAll(/longshore deploy (\S+)/g)) await test.fleet.remove(name);
  });

  it("names no image that is not tried here", () => {
    const named = [...page.matchAll(/registry\.plant:5000\/([\w-]+):1/g)].map((match) => match[1] ?? "");
    expect(named.filter((name) => !Object.hasOwn(images, name))).toEqual([]);
    expect(partsOf(page).length).toBeGreaterThan(4);
  });
});
