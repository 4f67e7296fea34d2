import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";

const module = new URL("./run-in-place.mjs", import.meta.url).href;

/** Starts a Node that runs another in its place. @param {string} program what the other does */
function start(program) {
  const outer = `import { runInPlace } from ${JSON.stringify(module)}; await runInPlace(process.execPath, ["-e", ${JSON.stringify(program)}]);`;
  return spawn(process.execPath, ["--input-type=module", "-e", outer], { stdio: ["pipe", "pipe", "inherit"] });
}

describe("runInPlace()", () => {
  test("ends with the exit code of what it runs", async () => {
    expect(await once(start("process.exit(7)"), "exit")).toEqual([7, null]);
  });

  test("ends by the signal that ended what it runs", async () => {
    expect(await once(start("process.kill(process.pid, 'SIGKILL')"), "exit")).toEqual([null, "SIGKILL"]);
  });

  test.each(/** @type {const} */ (["SIGTERM", "SIGINT"]))("passes %s on and waits for the end that it brings", async (signal) => {
    const outer = start(`process.once(${JSON.stringify(signal)}, () => process.exit(9)); console.log("ready"); setInterval(() => {}, 1000);`);
    await once(outer.stdout, "data");
    outer.kill(signal);
    expect(await once(outer, "exit")).toEqual([9, null]);
  });

  test("hands standard input and output through", async () => {
    const outer = start("process.stdin.pipe(process.stdout)");
    outer.stdin.end("exact\0bytes");
    const chunks = [];
    for await (const chunk of outer.stdout) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe("exact\0bytes");
  });

  test("says so when the command cannot be run", async () => {
    const outer = `import { runInForeground } from ${JSON.stringify(module)}; process.exit((await runInForeground("/nowhere/program", [])).code);`;
    expect(await once(spawn(process.execPath, ["--input-type=module", "-e", outer], { stdio: "ignore" }), "exit")).toEqual([127, null]);
  });
});
