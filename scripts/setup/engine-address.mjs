import { request } from "node:http";

/** Where an engine answers unless `DOCKER_HOST` names another address. */
export const defaultSocket = "/var/run/docker.sock";

/**
 * What answers at the engine's address: its interface's version and its name; undefined when nothing does.
 * @returns {Promise<{ api: number, version: string } | undefined>}
 */
export function pingEngine() {
  return new Promise((resolve) => {
    const call = request({ ...engineAddress(), path: "/_ping", timeout: 30_000 }, (response) => {
      response.resume();
      const api = response.statusCode === 200 ? Number(response.headers["api-version"]) : Number.NaN;
      resolve(Number.isNaN(api) ? undefined : { api, version: String(response.headers.server ?? `API ${api}`) });
    });
    call.on("timeout", () => call.destroy()).on("error", () => resolve(undefined));
    call.end();
  });
}

/** Where `node:http` finds the engine. */
export function engineAddress() {
  const host = process.env.DOCKER_HOST || `unix://${defaultSocket}`;
  if (host.startsWith("unix://")) return { socketPath: host.slice("unix://".length) };
  const { hostname, port } = new URL(host);
  return { hostname, port };
}
