import { defaultPort, LongshoreError, resolveSettings, type SettingSources } from "@longshore/protocol";
import { z } from "zod";
import { isAllowEntry } from "./destinations/allow-list.ts";
import { brokerFailpointPattern, brokerFailpoints } from "./failpoint.ts";
import { isLoopbackAddress } from "./socket/origin.ts";

const address = z.string().regex(/^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/, "must be host:port");
const url = z.string().regex(/^https?:\/\/[^\s/]+$/, "must be http(s)://host:port");
/** Of somebody else's server, a path behind it if need be. */
const serverUrl = z.string().regex(/^https?:\/\/[^\s/@?#]+(\/[^\s@?#]*)?$/, "must be http(s)://host:port, without credentials");
const list = <T extends z.ZodType>(item: T) => z.preprocess((value) => (typeof value === "string" ? value.split(",").map((part) => part.trim()) : value), z.array(item));

/** Every setting of a broker; what each is for stands in docs/operations.md. */
export const brokerConfigSchema = z.strictObject({
  /** Keys and the embedded bus's store. */
  dataFolder: z.string().min(1).default("/var/lib/longshore/broker"),
  listen: address.default(`127.0.0.1:${defaultPort}`),
  /** `own`: a certificate by an authority that this broker makes; `files`: certificateFile and keyFile. */
  tls: z.enum(["off", "own", "files"]).default("off"),
  certificateFile: z.string().optional(),
  keyFile: z.string().optional(),
  /** Listen beyond loopback without TLS, knowingly. */
  insecure: z.boolean().default(false),
  /** This broker's addresses as joining hosts reach them; default: where it listens. */
  advertise: list(url).optional(),
  /** The embedded bus: where it listens, and the nats-server to run. */
  busListen: address.optional(),
  natsServer: z.string().min(1).default("nats-server"),
  /** A folder with credentials of a cluster of one's own, in place of the embedded bus. */
  busCredentials: z.string().optional(),
  busReplicas: z.number().int().min(1).max(5).default(1),
  /** Monitoring address of each server of a cluster of one's own: how they store is read there. */
  busMonitoring: list(serverUrl).default([]),
  /** `unsynced`: accept work though a server of the bus is seen to acknowledge writes that are not on disk, so that a power cut may lose it. */
  busDurability: z.enum(["synced", "unsynced"]).default("synced"),
  /** A file with the key (32 bytes, base64) that functions' secrets are sealed with at rest, the same for every broker; default: the fleet's own, kept on the bus. */
  sealKeyFile: z.string().min(1).optional(),
  allowedOrigins: list(url).default([]),
  /** Hosts, addresses and CIDRs within the operator's own network that webhooks may reach. */
  webhookAllow: list(z.string().refine(isAllowEntry, "must be a host's name, an address, or a CIDR as 10.0.0.0/8")).default([]),
  /** Where the console's bundle is; without it the broker says at `/` how to build it. */
  consoleFolder: z.string().min(1).optional(),
  /** An OpenTelemetry collector that takes traces over OTLP (HTTP); without it there are none. */
  tracesUrl: serverUrl.optional(),
  /** How many of the traces that begin at a broker are recorded; a caller that has one decides itself. */
  tracesRatio: z.number().min(0).max(1).default(1),
  maxBodyBytes: z.number().int().min(1024).max(2 ** 40).default(512 * 2 ** 20),
  backlogMax: z.number().int().min(0).max(100_000).default(100),
  backlogMs: z.number().int().min(0).max(600_000).default(10_000),
  drainMs: z.number().int().min(0).max(3_600_000).default(30_000),
  /** For tests: where the process ends itself, as if killed; `name:N`: the Nth time that it comes there. */
  failpoint: z.string().regex(brokerFailpointPattern, `must be one of ${brokerFailpoints.join(", ")}, or one of them with :N`).optional(),
  logLevel: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
});

/** A broker's settings, resolved and frozen. */
export type BrokerConfig = Readonly<z.output<typeof brokerConfigSchema>>;

/** An address to listen on, taken apart. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Takes `host:port` apart; brackets around an IPv6 address go. */
export function splitAddress(text: string): ListenAddress {
  const colon = text.lastIndexOf(":");
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ""), port: Number(text.slice(colon + 1)) };
}

/** True for an address that only the machine itself reaches. */
export function isLoopbackHost(host: string): boolean {
  return host === "localhost" || isLoopbackAddress(host);
}

/** Resolves a broker's settings and refuses combinations that would expose it. */
export function resolveBrokerConfig(sources: SettingSources): BrokerConfig {
  const config = resolveSettings("broker", brokerConfigSchema, sources);
  const { host } = splitAddress(config.listen);
  if (!isLoopbackHost(host) && config.tls === "off" && !config.insecure) {
    throw new LongshoreError("bad_schema", `Cannot listen on ${config.listen} without TLS: set tls to "own" or "files", or say insecure: true where something in front speaks TLS`, { field: "listen" });
  }
  if (config.busMonitoring.length > 0 && config.busCredentials === undefined) {
    throw new LongshoreError("bad_schema", "Cannot use busMonitoring without busCredentials: an embedded bus is asked by itself", { field: "busMonitoring" });
  }
  if (config.tls === "files" && (config.certificateFile === undefined || config.keyFile === undefined)) {
    throw new LongshoreError("bad_schema", "Cannot use tls: files without certificateFile and keyFile", { field: "tls" });
  }
  return config;
}
