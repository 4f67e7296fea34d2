import type { Logger } from "pino";
import { z } from "zod";
import type { BusAccess } from "../bus/access.ts";
import { askServers } from "../bus/ask-servers.ts";
import { queueStreamName } from "../bus/queue-subjects.ts";
import { isEveryServerHeard, type ServersSeen } from "./durability.ts";
import { readMonitoring } from "./read-monitoring.ts";
import { readServerReport, type ServerReport, type StreamName } from "./server-report.ts";

/** One look at the servers of the bus; never throws, ends within two seconds. */
export type Look = () => Promise<ServersSeen>;

const withinMs = 2_000;
const claimsSchema = z.object({ iss: z.string(), nats: z.object({ issuer_account: z.string().optional() }).optional() });

interface LookOptions {
  readonly access: BusAccess;
  /** Monitoring addresses of the servers; where there are none, they are asked over the system account. */
  readonly monitoring: readonly string[];
  readonly log: Logger;
}

/** How this broker sees its bus's servers; undefined when there is nothing to see them by. */
export function createLook({ access, monitoring, log }: LookOptions): Look | undefined {
  const name: StreamName = { accountKey: accountOf(access.core.jwt), stream: queueStreamName };
  if (monitoring.length > 0) return () => lookByMonitoring(monitoring, access.ca, name, log);
  return access.revocation === undefined ? undefined : () => lookBySystemAccount(access, name, log);
}

async function lookByMonitoring(addresses: readonly string[], ca: string | undefined, name: StreamName, log: Logger): Promise<ServersSeen> {
  const looks = await Promise.allSettled(addresses.map(async (address) => readServerReport(await readMonitoring(address, { ...name, ca, withinMs }), name)));
  for (const [index, look] of looks.entries()) if (look.status === "rejected") log.debug({ err: look.reason as unknown, address: addresses[index] }, "a server of the bus does not say how it stores");
  const reports = looks.flatMap((look) => (look.status === "fulfilled" ? [look.value] : []));
  return { reports, silent: addresses.length - reports.length };
}

async function lookBySystemAccount({ servers, ca, revocation }: BusAccess, name: StreamName, log: Logger): Promise<ServersSeen> {
  if (revocation === undefined) return { reports: [], silent: 0 };
  const read = (documents: readonly unknown[]): readonly ServerReport[] => documents.map((document) => readServerReport(document, name));
  try {
    const documents = await askServers({ servers, ca, credential: revocation.system }, { accountKey: name.accountKey, withinMs, isComplete: (some) => isEveryServerHeard(read(some)) });
    return { reports: read(documents), silent: 0 };
  } catch (err) {
    log.debug({ err }, "the servers of the bus do not say how they store");
    return { reports: [], silent: 0 };
  }
}

/** The account of a user's JWT; empty when it cannot be read, which the servers will not take either. */
function accountOf(jwt: string): string {
  try {
    const { iss, nats } = claimsSchema.parse(JSON.parse(Buffer.from(jwt.split(".")[1] ?? "", "base64url").toString()));
    return nats?.issuer_account ?? iss;
  } catch {
    return "";
  }
}
