import type { ComponentChildren } from "preact";
import { Link } from "../shell/link.tsx";
import { usePolled } from "../shell/now.ts";
import { Panel } from "../shell/parts.tsx";
import type { Query } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";
import { useDraws } from "../shell/use-draws.ts";
import { InvocationRows } from "./invocation-rows.tsx";
import type { InvocationFilter } from "./invocation-filter.ts";
import { newestOf, newestRecords } from "./record-source.ts";

const shown = 12;
/** What ends while the page is open is told to it; this is for what it missed. */
const everyMs = 60_000;

export interface LatestProps {
  readonly title: string;
  /** Of which function, or on which host. */
  readonly filter: Pick<InvocationFilter, "functionName" | "agentId">;
  /** Leads to all of them. */
  readonly query: Query;
  /** Stands there while there are none. */
  readonly children: ComponentChildren;
}

/** The latest invocations of a function or on a host: those of before the page was opened, and each as it ends. */
export function Latest({ title, filter, query, children }: LatestProps) {
  const { fleet, tail, tailDraws, connection } = useSession();
  useDraws(tailDraws);
  const { functionName, agentId } = filter;
  const { value: before, error } = usePolled(() => newestRecords(fleet, { limit: shown, ...(functionName !== undefined && { function: functionName }), ...(agentId !== undefined && { agent: agentId }) }), everyMs, [functionName, agentId, connection.value.phase]);
  const records = newestOf(tail.latest(filter, shown), before ?? [], shown);
  return (
    <Panel title={title} actions={<Link to={["invocations"]} query={query}>All of them</Link>}>
      {records.length > 0 ? <InvocationRows records={records} plain={functionName !== undefined ? "function" : "host"} /> : before === undefined && error === undefined ? <p class="hint">Asking …</p> : children}
    </Panel>
  );
}
