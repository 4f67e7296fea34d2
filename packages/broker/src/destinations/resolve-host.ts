import { lookup } from "node:dns/promises";
import type { Resolve } from "./check-target.ts";

/** The machine's own resolver, with its hosts file. Rejects with its error. */
export const resolveHost: Resolve = async (host) => (await lookup(host, { all: true })).map(({ address }) => address);
