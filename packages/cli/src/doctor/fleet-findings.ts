import type { DurabilityView } from "@longshore/protocol";
import { formatDuration } from "../terminal/quantity.ts";
import { fail, type Finding, isAtLeast, ok, readVersion, warn } from "./finding.ts";

/** What `nats-server --version` says here; undefined when there is none. */
export function judgeNatsServer(versionLine: string | undefined): Finding {
  const name = "nats-server";
  const mend = "install nats-server 2.14 or newer, or name one in LONGSHORE_NATS_SERVER; longshore up and brokers with a bus of their own start it, agents do not need it";
  if (versionLine === undefined) return warn(name, "not found", mend);
  const version = readVersion(versionLine);
  return version !== undefined && isAtLeast(version, [2, 14]) ? ok(name, versionLine) : fail(name, versionLine, mend);
}

/** What a broker answered on `/readyz`, and how far its clock is ahead of ours; a text is why it did not answer. */
export interface BrokerFacts {
  readonly status: number;
  readonly clockAheadMs: number | undefined;
  /** Undefined where the broker does not tell. */
  readonly durability: DurabilityView | undefined;
}

/** Looks at the broker that commands would talk to. None at all is a warning: a host may be looked at before there is one. */
export function judgeBroker(url: string, broker: BrokerFacts | string): readonly Finding[] {
  const name = "broker";
  if (typeof broker === "string") return [warn(name, `${url}: ${broker}`, "longshore up starts a fleet here; --url or LONGSHORE_URL names another broker")];
  const readiness = broker.status === 200 ? ok(name, `${url} is ready`) : fail(name, `${url} answers ${broker.status}`, "its log says what it waits for: usually its bus");
  return [
    readiness,
    ...(broker.clockAheadMs === undefined ? [] : [judgeClock(broker.clockAheadMs)]),
    ...(broker.durability === undefined ? [] : [judgeDurability(broker.durability)]),
  ];
}

/** Sync calls work in any case, so that none of it fails the fleet. */
function judgeDurability({ state, detail, mend }: DurabilityView): Finding {
  const name = "durability";
  if (state === "verified") return ok(name, detail);
  return warn(name, `${state === "assumed" ? "assumed" : "not durable"}: ${detail}`, mend ?? "the broker's log says what it saw of its bus");
}

function judgeClock(aheadMs: number): Finding {
  const apart = Math.abs(aheadMs);
  // The Date header has whole seconds.
  if (apart < 5_000) return ok("clock", "agrees with the broker's");
  const found = `${formatDuration(apart)} ${aheadMs > 0 ? "behind" : "ahead of"} the broker's`;
  const mend = "let both hosts keep time (systemd-timesyncd, chrony)";
  return apart < 60_000 ? warn("clock", found, mend) : fail("clock", found, `${mend}: credentials are refused when clocks are minutes apart`);
}
