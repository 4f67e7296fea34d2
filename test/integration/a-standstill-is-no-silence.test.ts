import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { describe, expect, it } from "vitest";

const dueMs = 1_500;

/** Says `timer` when its time is over, and whatever it is told. */
const programOf = (part: string) => `
import { systemClock } from ${JSON.stringify(new URL(`../../packages/${part}/src/clock.ts`, import.meta.url).href)};
process.stdin.on("data", (data) => process.stdout.write(data));
systemClock.after(${dueMs}, () => process.stdout.write("timer", () => process.exit()));
process.stdout.write("up ");
`;

describe.runIf(process.platform === "linux")("a process that stood still", () => {
  it.each(["broker", "agent"])("as a %s reads what came meanwhile before it takes it for overdue", async (part) => {
    const child = spawn(process.execPath, ["--input-type=module", "--eval", programOf(part)], { stdio: ["pipe", "pipe", "inherit"] });
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
});
