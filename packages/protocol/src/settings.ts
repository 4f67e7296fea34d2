import type { z } from "zod";
import { parseDuration, parseSize } from "./duration.ts";
import { LongshoreError, parseInput } from "./error.ts";

/** Where settings come from, the first winning: flags, environment, file, defaults. */
export interface SettingSources {
  readonly flags?: Readonly<Record<string, unknown>> | undefined;
  readonly environment?: Readonly<Record<string, string | undefined>> | undefined;
  /** The process's section of `longshore.yaml`, as parsed. */
  readonly file?: unknown;
}

/**
 * Resolves one process's settings, frozen. Environment: `LONGSHORE_<SECTION>_<KEY>` (`LONGSHORE_AGENT_HELD_MAX` is `heldMax` of `agent`); there
 * and in the file, `…Ms` and `…Bytes` take units (`5s`, `1GiB`). Throws `bad_schema` naming the setting for a wrong key, unit or value.
 */
export function resolveSettings<Shape extends z.ZodRawShape>(section: string, schema: z.ZodObject<Shape>, sources: SettingSources): Readonly<z.output<z.ZodObject<Shape>>> {
  const merged = { ...fromFile(section, sources.file), ...fromEnvironment(section, schema, sources.environment ?? {}), ...withoutGaps(sources.flags ?? {}) };
  return Object.freeze(parseInput(schema, merged, `${section} settings`));
}

function fromFile(section: string, file: unknown): Record<string, unknown> {
  if (file === undefined || file === null) return {};
  if (typeof file !== "object" || Array.isArray(file)) throw new LongshoreError("bad_schema", `Cannot read ${section} settings: expected a mapping`, { field: section });
  return Object.fromEntries(Object.entries(file).map(([key, value]) => [key, typeof value === "string" ? withUnits(key, value, `${section}.${key}`) : value]));
}

function fromEnvironment(section: string, schema: z.ZodObject, environment: Readonly<Record<string, string | undefined>>): Record<string, unknown> {
  const prefix = `LONGSHORE_${section.toUpperCase()}_`;
  const found: Record<string, unknown> = {};
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(prefix) || text === undefined) continue;
    const key = name.slice(prefix.length).toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
    if (!Object.hasOwn(schema.shape, key)) throw new LongshoreError("bad_schema", `Cannot use ${name}: no such setting`, { field: name });
    found[key] = fromText(key, text, name);
  }
  return found;
}

function fromText(key: string, text: string, name: string): unknown {
  if (/^\d+$/.test(text)) return Number(text);
  if (text === "true" || text === "false") return text === "true";
  return withUnits(key, text, name);
}

function withUnits(key: string, text: string, name: string): unknown {
  if (key.endsWith("Ms")) return parseDuration(text, name);
  if (key.endsWith("Bytes")) return parseSize(text, name);
  return text;
}

function withoutGaps(flags: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(flags).filter(([, value]) => value !== undefined));
}
