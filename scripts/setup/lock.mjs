import { createHash } from "node:crypto";
import { connect, createServer } from "node:net";
import { cacheFolder } from "../../packages/cli/bin/tool-cache.mjs";

/**
 * Keeps two set-ups on one cache from clashing: resolves once this process is the only one, to the function that lets the next one in.
 * The lock is a listening socket in Linux's abstract namespace: the kernel frees it however its holder ends, so it is never stale.
 * Elsewhere set-up installs nothing that could clash, and needs no lock.
 * @param {() => void} onWait called when another set-up is under way
 * @returns {Promise<() => void>}
 */
export async function lockSetup(onWait) {
  if (process.platform !== "linux") return () => {};
  const address = `\0longshore-setup-${createHash("sha256").update(cacheFolder()).digest("hex").slice(0, 16)}`;
  for (let isFirst = true; ; isFirst = false) {
    const release = await tryLock(address);
    if (release !== undefined) return release;
    if (isFirst) onWait();
    await untilFreed(address);
  }
}

/** @param {string} address @returns {Promise<(() => void) | undefined>} undefined when somebody else holds it */
function tryLock(address) {
  return new Promise((resolve, reject) => {
    /** @type {Set<import("node:net").Socket>} */
    const waiting = new Set();
    const server = createServer((socket) => {
      waiting.add(socket);
      socket.on("close", () => waiting.delete(socket)).on("error", () => {});
    });
    server.on("error", (/** @type {NodeJS.ErrnoException} */ error) => (error.code === "EADDRINUSE" ? resolve(undefined) : reject(error)));
    server.listen(address, () => resolve(release));

    function release() {
      server.close();
      for (const socket of waiting) socket.destroy();
    }
  });
}

/** Resolves when the holder lets go: its end of our connection closes. @param {string} address @returns {Promise<void>} */
function untilFreed(address) {
  return new Promise((resolve) => {
    connect(address).on("error", () => {}).on("close", () => resolve());
  });
}
