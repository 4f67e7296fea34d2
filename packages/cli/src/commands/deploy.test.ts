import type { DeployAnswer, FunctionDocument } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import type { DeployProgress, Fleet } from "../fleet.ts";
import { functionView } from "../testing/fake-fleet.ts";
import { runLine } from "../testing/run-line.ts";

function recording(answer: Partial<DeployAnswer> = {}, pulls: readonly DeployProgress["pull"][] = []): { fleet: Partial<Fleet>; documents: FunctionDocument[]; locals: boolean[] } {
  const documents: FunctionDocument[] = [];
  const locals: boolean[] = [];
  const deploy: Fleet["deploy"] = async (document, { onProgress, local }) => {
    documents.push(document);
    locals.push(local === true);
    for (const pull of pulls) onProgress?.({ siteId: "plant", agentId: "plant-1", pull });
    return { function: functionView(), created: true, changed: true, contractBecause: "the image exposes no port", ...answer };
  };
  return { documents, locals, fleet: { deploy } };
}

describe("longshore deploy", () => {
  it("sends the document and says what stands now", async () => {
    const { fleet, documents } = recording();
    const { stdout, exitCode, stderr } = await runLine(["deploy", "wordcount", "--image", "debian:12", "--memory", "64MiB", "--", "-w"], { fleet });
    expect(documents).toEqual([{ name: "wordcount", image: "debian:12", memoryBytes: 2 ** 26, args: ["-w"] }]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(
      "Deployed wordcount as wordcount-r3\n" +
      "  contract  stdio: the image exposes no port\n" +
      "  image     debian:12 (sha256:aaaaaaaaaaaa…, 64MiB)\n" +
      "  invoke    longshore invoke wordcount\n",
    );
  });

  it("says when nothing changed, and how to call an http function", async () => {
    const { fleet } = recording({ changed: false, function: functionView({ name: "hello", contract: "http", revisionId: "hello-r1" }) });
    const { stdout } = await runLine(["deploy", "hello", "--image", "x", "--url", "https://b:1"], { fleet });
    expect(stdout).toContain("hello is unchanged, still hello-r1\n");
    expect(stdout).toContain("curl https://b:1/f/hello/\n");
  });

  it("gives programs the broker's answer alone", async () => {
    const { fleet } = recording({}, [{ layers: 2, layersDone: 1, bytes: 100, bytesDone: 50 }]);
    const { stdout, stderr } = await runLine(["deploy", "wordcount", "--image", "x", "--json"], { fleet });
    expect(JSON.parse(stdout)).toMatchObject({ changed: true, function: { name: "wordcount" } });
    expect(stderr).toBe("");
  });

  const pulls = [0, 4, 40, 41, 100].map((bytesDone) => ({ layers: 2, layersDone: bytesDone === 100 ? 2 : 1, bytes: 100, bytesDone }));

  it("shows a pull as bars on a terminal", async () => {
    const { stderr } = await runLine(["deploy", "wordcount", "--image", "x"], { fleet: recording({}, pulls).fleet, isTerminal: true, environment: { NO_COLOR: "1" } });
    expect(stderr).toContain("\u001b[1A\u001b[2Kplant/plant-1: pulling, 2 of 2 layers 100B of 100B ━━━━");
  });

  it("tells how fast it comes, while it does", async () => {
    let at = 0;
    const { stderr } = await runLine(["deploy", "wordcount", "--image", "x"], { fleet: recording({}, pulls).fleet, isTerminal: true, environment: { NO_COLOR: "1" }, now: () => (at += 1_000) });
    expect(stderr).toContain("1 of 2 layers 40B of 100B 20B/s");
    expect(stderr).toMatch(/2 of 2 layers 100B of 100B ━/);
  });

  it("shows a pull as a few plain lines elsewhere", async () => {
    const { stderr } = await runLine(["deploy", "wordcount", "--image", "x"], { fleet: recording({}, pulls).fleet });
    expect(stderr).not.toContain("\u001b");
    expect(stderr.trimEnd().split("\n").map((line) => /\d+ %$/.exec(line)?.[0])).toEqual(["0 %", "40 %", "100 %"]);
  });

  it("asks no registry for an image that is said to be in an engine", async () => {
    const { fleet, locals } = recording();
    await runLine(["deploy", "wordcount", "--image", "words:dev", "--local"], { fleet });
    await runLine(["deploy", "wordcount", "--image", "words:dev"], { fleet });
    expect(locals).toEqual([true, false]);
  });

  it("knows its examples by name", async () => {
    expect(await runLine(["deploy", "--example", "moon"])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("there are hello-http, wordcount, sse, echo-ws") });
  });

  it("refuses a bad document before anything is sent or built", async () => {
    const { fleet, documents } = recording();
    expect(await runLine(["deploy", "Bad.Name", "--image", "x"], { fleet })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("NAME: must be 1 to 50") });
    expect(await runLine(["deploy", "a", "--image", "x", "--timeout", "2h"], { fleet })).toMatchObject({ exitCode: 2, stderr: expect.stringContaining("--timeout: Too big") });
    expect(documents).toEqual([]);
  });
});
