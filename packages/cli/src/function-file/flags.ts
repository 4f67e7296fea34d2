import type { OptionSpecs, OptionValues } from "../command-line/command.ts";
import { flagOf } from "../command-line/command.ts";
import { destinationOf } from "./destination.ts";
import type { Draft } from "./draft.ts";
import { type FieldName, fieldOf, fields, readScalar } from "./fields.ts";
import { readPairs, readSecretFile, splitPair } from "./pair.ts";

/** An option for every field of a function document, in human units. */
export const functionOptions = {
  image: { value: "REF", summary: "Image to run: name[:tag][@sha256:digest]" },
  contract: { value: "NAME", summary: "How the image is talked to: http, stdio, lambda, azure, auto (default: from the image)" },
  command: { value: "WORD", repeat: true, summary: "Replace the image's entrypoint; once per word" },
  workingDirectory: { value: "PATH", summary: "Where the program begins (default: where the image says)" },
  env: { value: "K=V", short: "e", repeat: true, summary: "Environment variable" },
  secret: { value: "K=V", repeat: true, summary: "Environment variable that is never shown again" },
  secretFile: { value: "K=PATH", repeat: true, summary: "The same, read from a file byte for byte" },
  port: { value: "N", summary: "http: the port that the image listens on (default: the one it exposes, else 8080)" },
  startProbe: { value: "PATH", summary: "http: a path that must answer 2xx before the first invocation" },
  concurrency: { value: "N", summary: "Invocations at once per instance (default: 80 for http, else 1)" },
  memory: { value: "SIZE", summary: "Memory of an instance (default 256MiB)" },
  cpu: { value: "N", summary: "Processors of an instance: 2, 0.5, 500m (default 1)" },
  timeout: { value: "TIME", summary: "How long an invocation may take (default 30s, at most 1h)" },
  startTimeout: { value: "TIME", summary: "How long an instance may take to be ready (default 60s)" },
  stopGrace: { value: "TIME", summary: "From the stop signal to SIGKILL (default 10s)" },
  scratch: { value: "SIZE", summary: "Size of /tmp where the root is read-only (default 64MiB)" },
  network: { value: "NAME", summary: "none, internet or site (default internet)" },
  profile: { value: "NAME", summary: "standard or strict (default standard)" },
  runtime: { value: "NAME", summary: "Runtime of the container engine: runsc, kata (default: the engine's own)" },
  azureFunction: { value: "NAME", summary: "azure: how the image names the function (default: the function's name)" },
  azureTrigger: { value: "NAME", summary: "azure: binding of a trigger that is not HTTP; the payload arrives under it" },
  payloadMax: { value: "SIZE", summary: "lambda, azure: the largest event and answer (default 6MiB)" },
  contentType: { value: "TYPE", summary: "stdio: content type of the answer" },
  minInstances: { value: "N", summary: "Instances that are kept running (default 0)" },
  maxInstancesPerAgent: { value: "N", summary: "Instances that one agent may run" },
  maxQueuedAtOnce: { value: "N", summary: "Accepted invocations that run at once over the fleet" },
  idempotent: { summary: "The function may be run again when an invocation is lost" },
  retry: { value: "HOW", summary: "default or never" },
  site: { value: "SITE", repeat: true, summary: "Run only there" },
  require: { value: "K=V", repeat: true, summary: "Run only on agents with this label" },
  prefer: { value: "K=V", repeat: true, summary: "Choose agents with this label first" },
  residency: { value: "REGION", repeat: true, summary: "Run only at sites of this region" },
  onSuccess: { value: "WHERE", summary: "Tell a URL or a function of every accepted invocation that succeeded" },
  onFailure: { value: "WHERE", summary: "The same of every one that did not" },
} as const satisfies OptionSpecs;
type FunctionOptions = OptionValues<typeof functionOptions>;

/** The fields that options gave; `args` is what stood behind `--`. Throws `bad_schema` naming the option. */
export function readFunctionFlags(options: FunctionOptions, args: readonly string[]): Draft {
  const values: Partial<Record<FieldName, unknown>> = {};
  for (const [key, value] of Object.entries(options)) {
    const name = fieldOf(key);
    if (name !== undefined && typeof value === "string") values[name] = readScalar(fields[name].kind, value, flagOf(key), false);
  }
  if (options.idempotent) values.idempotent = true;
  if (options.command.length > 0) values.command = options.command;
  if (args.length > 0) values.args = args;
  if (options.env.length > 0) values.env = readPairs(options.env, "--env");
  const secrets = [...options.secret, ...options.secretFile.map(secretOfFile)];
  if (secrets.length > 0) values.secrets = readPairs(secrets, "--secret");
  const placement = readPlacement(options);
  if (Object.keys(placement).length > 0) values.placement = placement;
  const destinations = readDestinations(options);
  if (Object.keys(destinations).length > 0) values.destinations = destinations;
  return { values, locate: (path) => locateFlag(path.map(String)) };
}

function secretOfFile(text: string): string {
  const { key, value } = splitPair(text, "--secret-file");
  return `${key}=${readSecretFile(value, "--secret-file")}`;
}

function readPlacement(options: FunctionOptions): Record<string, unknown> {
  return {
    ...(options.site.length > 0 && { sites: options.site }),
    ...(options.require.length > 0 && { require: readPairs(options.require, "--require") }),
    ...(options.prefer.length > 0 && { prefer: options.prefer.map((text) => splitPair(text, "--prefer")) }),
    ...(options.residency.length > 0 && { residency: options.residency }),
  };
}

function readDestinations({ onSuccess, onFailure }: FunctionOptions): Record<string, unknown> {
  return { ...(onSuccess !== undefined && { onSuccess: destinationOf(onSuccess) }), ...(onFailure !== undefined && { onFailure: destinationOf(onFailure) }) };
}

const flagOfField: Readonly<Record<string, string>> = { name: "NAME", args: "arguments after --", secrets: "--secret", sites: "--site" };

function locateFlag([first = "", second = "", ...rest]: readonly string[]): string {
  const [field, tail] = first === "placement" || first === "destinations" ? [second, rest] : [first, [second, ...rest]];
  const name = fieldOf(field);
  const alias = name === undefined ? undefined : (fields[name] as { alias?: string }).alias;
  const shown = tail.filter((part) => part !== "" && !/^\d+$/.test(part)).join(".");
  return `${flagOfField[field] ?? flagOf(alias ?? field)}${shown === "" ? "" : ` ${shown}`}`;
}
