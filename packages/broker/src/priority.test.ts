import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";
import { expect, it } from "vitest";
import { goFirst } from "./priority.ts";

it.runIf(process.platform === "linux" && mayGoFirst())("has every thread of a process go first, also those that begin later", async () => {
  const child = spawn(process.execPath, ["-e", `process.stdin.on("data", () => { new Worker("", { eval: true }).on("online", () => console.log("began")); }); const { Worker } = require("node:worker_threads"); console.log("up");`]);
  await once(child.stdout, "data");
  goFirst(child.pid ?? 0);
  child.stdin.write("go");
  await once(child.stdout, "data");
  const threads = readdirSync(`/proc/${child.pid}/task`).map(Number);
  expect(new Set(threads.map((thread) => getPriority(thread)))).toEqual(new Set([constants.priority.PRIORITY_ABOVE_NORMAL]));
  child.kill();
  await once(child, "exit");
});

it("leaves a process that is gone alone", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "exit");
  expect(() => goFirst(child.pid ?? 0)).not.toThrow();
});

/** Root may, but not in every container. */
function mayGoFirst(): boolean {
  const own = getPriority();
  try {
    setPriority(own - 1);
    setPriority(own);
    return true;
  } catch {
    return false;
  }
}
