import { readFileSync } from "node:fs";
import { rootCertificates } from "node:tls";
import { LongshoreError, parseRegistryHost } from "@longshore/protocol";
import { z } from "zod";

const mirrorSchema = z.string().regex(/^https?:\/\/[^/?#@]+\/?$/, "must be http://HOST or https://HOST");

const registrySettingSchema = z.strictObject({
  host: z.string().min(1).max(255),
  caFile: z.string().min(1).optional(),
  plainHttp: z.boolean().default(false),
  mirrors: z.array(mirrorSchema).max(8).default([]),
});

/** The setting `registries`: how registries are reached that the engine would not reach by itself. A text is taken as JSON, for the environment. */
export const registrySettingsSchema = z.preprocess(parseText, z.array(registrySettingSchema).max(64)).default([]);
export type RegistrySetting = z.output<typeof registrySettingSchema>;

function parseText(value: unknown): unknown {
  if (typeof value !== "string") return value;
  try {
    return JSON.parse(value);
  } catch {
    return value; // Refused by the schema, which names the setting.
  }
}

/** How a registry is reached. */
export interface RegistryAccess {
  /** As image references name it. */
  readonly host: string;
  readonly url: URL;
  /** Asked first, in that order. */
  readonly mirrors: readonly URL[];
  /** Authorities (PEM) that its certificate, its mirrors' and its storage's may come from; undefined: those that Node knows. */
  readonly ca: readonly string[] | undefined;
  /** It, and whatever it leads to, may be spoken to without TLS. */
  readonly isPlain: boolean;
}

/** Reads what settings name, once. Throws `bad_schema` naming the setting for a host that is none or named twice, and a file that cannot be read. */
export function readRegistryAccess(settings: readonly RegistrySetting[]): RegistryAccess[] {
  const hosts = new Set<string>();
  return settings.map(({ host: text, caFile, plainHttp, mirrors }, at) => {
    const field = `registries[${at}]`;
    const host = parseRegistryHost(text, `${field}.host`);
    if (hosts.has(host)) throw slip(`${field}.host`, `registry "${host}" is named twice`);
    hosts.add(host);
    if (plainHttp && caFile !== undefined) throw slip(`${field}.caFile`, `registry "${host}" is spoken to without TLS`);
    const ca = caFile === undefined ? undefined : [...rootCertificates, readAuthority(caFile, `${field}.caFile`)];
    return { host, url: urlOf(host, plainHttp ? "http" : "https"), mirrors: mirrors.map((mirror) => new URL(mirror)), ca, isPlain: plainHttp };
  });
}

/** How a registry is reached of which settings say nothing: engines speak to those on loopback without TLS. */
export function defaultAccess(host: string): RegistryAccess {
  const isPlain = /^(localhost|127\.\d+\.\d+\.\d+)(:\d+)?$/.test(host);
  return { host, url: urlOf(host, isPlain ? "http" : "https"), mirrors: [], ca: undefined, isPlain };
}

/** Docker Hub's registry bears another name than its images. */
function urlOf(host: string, scheme: "http" | "https"): URL {
  return new URL(`${scheme}://${host === "docker.io" ? "registry-1.docker.io" : host}`);
}

function readAuthority(file: string, field: string): string {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw slip(field, (cause as Error).message);
  }
  if (!text.includes("-----BEGIN CERTIFICATE-----")) throw slip(field, `"${file}" holds no certificate in PEM`);
  return text;
}

function slip(field: string, why: string): LongshoreError {
  return new LongshoreError("bad_schema", `Cannot use setting ${field}: ${why}`, { field });
}
