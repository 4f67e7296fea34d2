import { chmodSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { LongshoreError } from "@longshore/protocol";
import { createNkey, type Nkey, nkeyFromSeed, type NkeyRole } from "../identity/nkey.ts";
import { readJson, writeSecret } from "../identity/secret-file.ts";

/** The keys of a bus of one's own: one of each, made once. */
export interface BusKeys {
  readonly operator: Nkey;
  readonly systemAccount: Nkey;
  readonly coreAccount: Nkey;
  readonly fleetAccount: Nkey;
  /** Scoped: signs agents only. */
  readonly agentSigner: Nkey;
  readonly systemUser: Nkey;
  readonly coreUser: Nkey;
  readonly fleetUser: Nkey;
}

const roles = {
  operator: "operator",
  systemAccount: "account",
  coreAccount: "account",
  fleetAccount: "account",
  agentSigner: "account",
  systemUser: "user",
  coreUser: "user",
  fleetUser: "user",
} as const satisfies Record<keyof BusKeys, NkeyRole>;

const names = Object.keys(roles) as (keyof BusKeys)[];
const fileSchema = z.record(z.enum(names as [keyof BusKeys, ...(keyof BusKeys)[]]), z.string());

/** Reads the keys from a folder, or makes them there, readable by their owner alone. Throws when the file is damaged. */
export function loadOrCreateKeys(folder: string): BusKeys {
  const file = join(folder, "keys.json");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  if (existsSync(file)) return read(file);
  const keys = Object.fromEntries(names.map((name) => [name, createNkey(roles[name])])) as unknown as BusKeys;
  writeSecret(file, JSON.stringify(Object.fromEntries(names.map((name) => [name, keys[name].seed]))));
  return keys;
}

function read(file: string): BusKeys {
  try {
    const seeds = fileSchema.parse(readJson(file));
    return Object.fromEntries(names.map((name) => [name, nkeyFromSeed(seeds[name], roles[name])])) as unknown as BusKeys;
  } catch (cause) {
    throw new LongshoreError("bus_down", `Cannot read the bus keys: ${file} is damaged; restore it, or remove its folder to begin a new fleet`, { cause });
  }
}
