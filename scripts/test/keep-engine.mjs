/**
 * `node keep-engine.mjs FOLDER PROGRAM ARGUMENT…`: runs the program, with its log in the folder, for as long as standard input is open.
 * Whoever holds the other end may thus end in any way: then the program is ended, and what it started, mounted and stored in the folder
 * is gone. A program that ends of itself is told with the tail of its log, and exit code 1.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { tryCommand } from "../setup/run-command.mjs";

const stopLimitMs = 60_000;
const shownCharacters = 10_000;

const [folder = "", program = "", ...words] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const logPath = join(folder, "log");
const log = openSync(logPath, "a");
const child = spawn(program, words, { stdio: ["ignore", log, log] });
/** @type {Promise<"ended">} */
const ended = new Promise((resolve) => child.on("close", () => resolve("ended")).on("error", (error) => (console.log(error.message), resolve("ended"))));
const asked = once(process.stdin.resume(), "close");

if ((await Promise.race([ended, asked])) === "ended") {
  console.log(readFileSync(logPath, "utf8").slice(-shownCharacters));
  process.exitCode = 1;
} else {
  await stop();
}
await clear();

async function stop() {
  child.kill("SIGTERM");
  const limit = setTimeout(() => child.kill("SIGKILL"), stopLimitMs);
  await ended;
  clearTimeout(limit);
}

/** A killed engine leaves processes and mounts behind. */
async function clear() {
  for (const id of processesOf(folder)) process.kill(id, "SIGKILL");
  for (const place of mountsBelow(folder)) await tryCommand("umount", ["--lazy", place]);
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
  process.stdin.destroy();
}

/** Processes whose command names something in a folder, without this one and the one that started it. @param {string} folder */
function processesOf(folder) {
  const others = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).filter((id) => id !== process.pid && id !== process.ppid);
  return others.filter((id) => {
    try {
      return readFileSync(`/proc/${id}/cmdline`, "utf8").includes(`${folder}/`);
    } catch {
      return false; // It ended while we looked.
    }
  });
}

/** What is mounted below a folder, the innermost first. @param {string} folder */
function mountsBelow(folder) {
  const places = readFileSync("/proc/self/mounts", "utf8").split("\n").map((line) => line.split(" ")[1] ?? "");
  return places.filter((place) => place.startsWith(`${folder}/`)).reverse();
}
