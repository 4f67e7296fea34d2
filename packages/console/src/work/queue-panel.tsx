import type { InvocationView } from "@longshore/sdk";
import { Link } from "../shell/link.tsx";
import { useNow, usePolled } from "../shell/now.ts";
import { Command, Empty, Figure, Panel, Sideways } from "../shell/parts.tsx";
import { formatCount, formatMs } from "../shell/quantity.ts";
import { useSession } from "../shell/session-context.ts";
import { Ago, Badge, Moment, Text } from "../shell/text.tsx";
import { firstOf } from "./first-of.ts";

type Pending = Exclude<InvocationView, { state: "finished" }>;
const shown = 200;

/** Accepted work that has not ended. */
export function QueuePanel() {
  const { fleet } = useSession();
  const queue = usePolled(() => fleet.queue.get(), 5_000, []);
  const pending = usePolled(() => firstOf(fleet.invocations.each({ state: "pending" }), shown), 3_000, []);
  const nowMs = useNow();
  if (pending.value === undefined) return <p class="hint">{pending.error?.message ?? "Asking …"}</p>;
  const items = pending.value.items.filter((view): view is Pending => view.state !== "finished");
  const { value } = queue;
  return (
    <>
      {value !== undefined && (
        <dl class="figures">
          <Figure label="Waiting" value={formatCount(value.waiting)} detail={value.oldestWaiting === undefined ? "none for long" : <>longest {formatMs(value.oldestWaiting.sinceMs)}: <Text>{value.oldestWaiting.why}</Text></>} />
          <Figure label="With hosts" value={formatCount(value.withAgents)} />
          <Figure label="To begin later" value={formatCount(value.delayed)} />
          <Figure label="Dead letters" value={<Link to={["work", "dead-letters"]}>{formatCount(value.deadLetters)}</Link>} tone={value.deadLetters > 0 ? "warn" : undefined} />
          <Figure label="Overdue" value={formatCount(value.overdue)} tone={value.overdue > 0 ? "bad" : undefined} />
        </dl>
      )}
      <Panel title="Not ended yet">
        {items.length === 0 ? <Empty title="Nothing waits"><p>Work that is accepted onto disk stands here until it is done. To have some accepted:</p><Command>longshore invoke NAME -d '…' --async</Command></Empty> : (
          <Sideways label="Not ended yet"><table>
            <thead><tr><th>Function</th><th>State</th><th>Accepted</th><th class="number">Attempt</th><th>Where, or when</th><th>Invocation</th></tr></thead>
            <tbody>
              {items.map((view) => (
                <tr key={view.invocationId}>
                  <td><Link to={["functions", view.functionName]}><Text>{view.functionName}</Text></Link></td>
                  <td><Badge tone={view.state === "running" ? "info" : "quiet"}>{view.state}</Badge>{view.cancelRequested === true && <Badge tone="warn">to be cancelled</Badge>}</td>
                  <td><Ago at={view.acceptedAt} nowMs={nowMs} /></td><td class="number">{view.attempt ?? 1}</td>
                  <td>{view.siteId !== undefined ? <Text>{`${view.siteId} / ${view.agentId ?? ""}`}</Text> : view.notBefore !== undefined ? <>not before <Moment at={view.notBefore} /></> : ""}</td>
                  <td><Link to={["invocations", view.invocationId]}><code><Text>{view.invocationId}</Text></code></Link></td>
                </tr>
              ))}
            </tbody>
          </table></Sideways>
        )}
        {pending.value.hasMore && <p class="hint">The first {shown}; there are more.</p>}
      </Panel>
    </>
  );
}
