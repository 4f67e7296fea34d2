import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import type { Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { createForwarder } from "./forward-port.ts";

/** A real browser, with one page. */
export interface TestBrowser extends AsyncDisposable {
  readonly page: Page;
}

/** A browser without the connections that it makes on its own. */
const words = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"];

const forwarder = join(import.meta.dirname, "forward-port.ts");

/**
 * Starts it without a window, on a fresh profile that goes with it. It lives in a network namespace of its own, in which `ports` of
 * this host's loopback are to be had: Chromium gives up whatever is under way when an interface comes or goes, as those of containers do.
 */
export async function startBrowser(ports: readonly number[]): Promise<TestBrowser> {
  const executable = process.env["LONGSHORE_CHROMIUM"];
  if (executable === undefined) throw new Error("LONGSHORE_CHROMIUM names no browser: run npm test once, which installs it");
  const folder = mkdtempSync(join(tmpdir(), "longshore-browser-"));
  const doors = await Promise.all(ports.map((port) => openDoor(join(folder, `${port}.sock`), port)));
  const executablePath = join(folder, "chromium");
  const forwards = ports.map((port) => `"${process.execPath}" "${forwarder}" ${port} "${folder}/${port}.sock" & forwarders="$forwarders $!"\n`);
  const inside = `ip link set lo up\n${forwards.join("")}"${executable}" "$@"\ncode=$?\nkill $forwarders\nexit $code\n`;
  writeFileSync(join(folder, "inside"), inside);
  writeFileSync(executablePath, `#!/bin/sh\nexec unshare --net sh "${folder}/inside" "$@"\n`, { mode: 0o755 });
  const context = await chromium.launchPersistentContext(join(folder, "profile"), { executablePath, headless: true, args: words, timeout: 120_000 });
  return {
    page: context.pages()[0] ?? (await context.newPage()),
    async [Symbol.asyncDispose]() {
      await context.close();
      for (const door of doors) door.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
}

/** Leads from a socket file, which every network namespace sees, to a port of this one. */
function openDoor(path: string, port: number): Promise<Server> {
  const door = createForwarder({ port, host: "127.0.0.1" });
  return new Promise((resolve) => door.listen(path, () => resolve(door)));
}
