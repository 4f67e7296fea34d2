import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { expect, it } from "vitest";

const dueMs = 1_500;

/** Says `timer` when its time is over, and whatever it is told. */
const program = `
import { systemClock } from ${JSON.stringify(new URL("clock.ts", import.meta.url).href)};
process.stdin.on("data", (data) => process.stdout.write(data));
systemClock.after(${dueMs}, () => process.stdout.write("timer", () => process.exit()));
process.stdout.write("up ");
`;

it.runIf(process.platform === "linux")("lets what came while the process stood still be read before a timer speaks", async () => {
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["pipe", "pipe", "inherit"] });
  let said = "";
  child.stdout.on("data", (data: Buffer) => (said += data.toString()));
  await once(child.stdout, "data");
  child.kill("SIGSTOP");
  await expect.poll(() => readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.[0]).toBe("T");
  child.stdin.write("answer ");
  await delay(dueMs + 500); // It is past due by then, and by more than a hair.
  child.kill("SIGCONT");
  await once(child, "close");
  expect(said).toBe("up answer timer");
});
