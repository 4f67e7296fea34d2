import type { AgentView } from "@longshore/sdk";
import { Latest } from "../invocations/latest.tsx";
import { Link } from "../shell/link.tsx";
import { useNow } from "../shell/now.ts";
import { Empty, Figure, Heading, Meter, Panel, Sideways } from "../shell/parts.tsx";
import { formatBytes } from "../shell/quantity.ts";
import { useDraws } from "../shell/use-draws.ts";
import { useSession } from "../shell/session-context.ts";
import { Ago, Text } from "../shell/text.tsx";
import { CapacityBar, CapacityLegend, memoryText } from "./capacity-bar.tsx";
import { stateOf } from "./fleet-store.ts";
import { HostActions } from "./host-actions.tsx";
import { HostStateBadge, stateMeanings } from "./host-state.tsx";
import { functionOf, instancesOf } from "./instances.ts";
import { memoryShares } from "./totals.ts";

/** One host: what it has, what it does, and what can be done with it. */
export function HostView({ agentId }: { readonly agentId: string }) {
  const { fleetStore, fleetDraws } = useSession();
  useDraws(fleetDraws);
  const agent = fleetStore.get(agentId);
  const crumbs = <Link to={["fleet"]}>Fleet</Link>;
  if (agent === undefined) return <><Heading title={<Text>{agentId}</Text>} crumbs={crumbs} />{fleetStore.hasCaughtUp ? <Empty title="No such host"><p>It never joined, or has left. <Link to={["fleet"]}>See who is there</Link>.</p></Empty> : <p class="hint">Asking …</p>}</>;
  return (
    <>
      <Heading title={<><Text>{agentId}</Text> <HostStateBadge state={stateOf(agent)} /></>} crumbs={<>{crumbs} / <Link to={["fleet"]} query={{ site: agent.siteId }}>{agent.siteId}</Link></>}><HostActions agent={agent} /></Heading>
      <p class="hint">It {stateMeanings[stateOf(agent)]}.{agent.detail !== undefined && <> It says: <Text>{agent.detail}</Text></>}</p>
      <HostFigures agent={agent} />
      <div class="columns">
        <div class="wide">
          <Panel title="Functions here"><HostFunctions agent={agent} /></Panel>
          <Latest title="Latest here" filter={{ agentId }} query={{ agent: agentId }}><p class="hint">Nothing ended here yet.</p></Latest>
        </div>
        <Panel title="What it is"><HostFacts agent={agent} /></Panel>
      </div>
    </>
  );
}

function HostFigures({ agent }: { readonly agent: AgentView }) {
  const { capacity, lastHeardAt } = agent;
  const nowMs = useNow();
  const instances = instancesOf(agent);
  const { used } = memoryShares(capacity);
  const { disk } = capacity;
  return (
    <dl class="figures">
      <Figure label="Running" value={capacity.running} detail={capacity.running === 1 ? "invocation" : "invocations"} />
      <Figure label="Instances" value={instances.busy + instances.idle + instances.held} detail={<><CapacityBar instances={instances} /><CapacityLegend instances={instances} /></>} />
      <Figure label="Memory promised" value={`${Math.round(used * 100)} %`} detail={<><Meter share={used} label="memory promised" />{memoryText(capacity)}</>} />
      <Figure label="Images" value={disk === undefined ? "?" : formatBytes(disk.imagesBytes)} detail={disk === undefined ? "its disk cannot be seen" : <><Meter share={1 - disk.freeBytes / Math.max(1, disk.totalBytes)} label="disk used" />{formatBytes(disk.freeBytes)} free</>} tone={disk?.pressure === true ? "warn" : undefined} />
      <Figure label="Last heard" value={<Ago at={lastHeardAt} nowMs={nowMs} />} />
    </dl>
  );
}

function HostFunctions({ agent }: { readonly agent: AgentView }) {
  if (agent.functions.length === 0) return <p class="hint">Nothing is prepared here. A function is, when its placement allows this host.</p>;
  return (
    <Sideways label="Functions here"><table>
      <thead><tr><th>Revision</th><th class="number">Running</th><th class="number">Instances</th><th class="number">Held</th><th class="number">Free slots</th></tr></thead>
      <tbody>
        {agent.functions.map(({ revisionId, running, instances, held, freeSlots }) => (
          <tr key={revisionId}><td><Link to={["functions", functionOf(revisionId)]}><Text>{revisionId}</Text></Link></td><td class="number">{running}</td><td class="number">{instances}</td><td class="number">{held}</td><td class="number">{freeSlots}</td></tr>
        ))}
      </tbody>
    </table></Sideways>
  );
}

function HostFacts({ agent: { introduction, labels } }: { readonly agent: AgentView }) {
  const facts: readonly (readonly [string, string])[] = introduction === undefined ? [] : [
    ["Host name", introduction.hostName], ["Engine", `${introduction.engine.name} ${introduction.engine.version}`], ["Architecture", introduction.architecture],
    ["Agent", introduction.version], ["Processors", String(introduction.cpuMillis / 1000)], ["Memory", formatBytes(introduction.memoryBytes)], ["Runtimes", introduction.runtimes.join(", ")],
    ["Holds instances", introduction.canHold ? "yes" : "no"],
  ];
  return (
    <>
      <dl class="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd><Text>{value}</Text></dd></div>)}</dl>
      <h3>Labels</h3>
      {Object.keys(labels).length === 0 ? <p class="hint">None.</p> : <ul class="labels">{Object.entries(labels).map(([key, value]) => <li key={key}><Text>{`${key}=${value}`}</Text></li>)}</ul>}
    </>
  );
}
