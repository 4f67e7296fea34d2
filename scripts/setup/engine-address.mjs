import { request } from "node:http";

/** Where an engine answers unless `DOCKER_HOST` names another address. */
export const defaultSocket = "/var/run/docker.sock";

/**
 * What answers at the engine's address: its interface's version and its name; undefined when nothing does.
 * @param {string | undefined} host as in DOCKER_HOST
 * @returns {Promise<{ api: number, version: string } | undefined>}
 */
export function pingEngine(host = process.env.DOCKER_HOST) {
  return new Promise((resolve) => {
    const call = request({ ...engineAddress(host), path: "/_ping", timeout: 30_000 }, (response) => {
      response.resume();
      const api = response.statusCode === 200 ? Number(response.headers["api-version"]) : Number.NaN;
      resolve(Number.isNaN(api) ? undefined : { api, version: String(response.headers.server ?? `API ${api}`) });
    });
    call.on("timeout", () => call.destroy()).on("error", () => resolve(undefined));
    call.end();
  });
}

/** Where `node:http` finds the engine. @param {string | undefined} named an address as in DOCKER_HOST; default: the usual socket */
export function engineAddress(named = process.env.DOCKER_HOST) {
  const host = named || `unix://${defaultSocket}`;
  if (host.startsWith("unix://")) return { socketPath: host.slice("unix://".length) };
  const { hostname, port } = new URL(host);
  return { hostname, port };
}
