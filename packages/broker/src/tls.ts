import { readFileSync, statSync } from "node:fs";
import { LongshoreError } from "@longshore/protocol";
import type { BrokerConfig } from "./config.ts";

/** What an HTTPS server shows, and keeps to itself. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

/** The certificate that the settings ask for; undefined without TLS. Throws `bad_schema` naming the setting. */
export function readTls(config: Pick<BrokerConfig, "tls" | "certificateFile" | "keyFile">, own: { readonly certificateFile: string; readonly keyFile: string } | undefined): TlsFiles | undefined {
  if (config.tls === "off") return undefined;
  const { certificateFile, keyFile } = config.tls === "own" ? (own ?? {}) : config;
  return { cert: readText("certificateFile", certificateFile), key: readSecretText("keyFile", keyFile) };
}

function readSecretText(field: string, file: string | undefined): string {
  const text = readText(field, file);
  if (file !== undefined && (statSync(file).mode & 0o007) !== 0) {
    throw new LongshoreError("bad_schema", `Cannot use ${field}: everybody may read ${file}; run chmod 600 on it`, { field });
  }
  return text;
}

function readText(field: string, file: string | undefined): string {
  try {
    if (file === undefined) throw new Error("not set");
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new LongshoreError("bad_schema", `Cannot read ${field}: ${file ?? "it is not set"}`, { field, cause });
  }
}
