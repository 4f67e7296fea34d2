import type { AgentView } from "@longshore/sdk";
import { useMemo, useState } from "preact/hooks";
import { FleetPlot, fleetHistoryMs } from "../functions/fleet-plot.tsx";
import { useHistory } from "../functions/use-history.ts";
import { Link } from "../shell/link.tsx";
import { changeQuery } from "../shell/navigation.ts";
import { useNow } from "../shell/now.ts";
import { Choice, Command, Empty, Field, Heading, Panel, Unseen } from "../shell/parts.tsx";
import { formatAgo, formatCount } from "../shell/quantity.ts";
import type { Query } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";
import { Text } from "../shell/text.tsx";
import { VirtualList } from "../shell/virtual-list.tsx";
import { CapacityBar, CapacityLegend, memoryText } from "./capacity-bar.tsx";
import { type FleetRow, rowsOf } from "./fleet-rows.ts";
import { type HostChange, type HostState, stateOf } from "./fleet-store.ts";
import { HostStateBadge, stateMeanings } from "./host-state.tsx";
import { instancesOf } from "./instances.ts";
import { RightNow } from "./right-now.tsx";
import { totalsOf } from "./totals.ts";

/** Sites and the hosts in them, as they stand and change. */
export function FleetView({ query }: { readonly query: Query }) {
  const { fleetStore, fleetDraws } = useSession();
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const history = useHistory(undefined, fleetHistoryMs);
  const draws = fleetDraws.value;
  const agents = fleetStore.agents();
  const totals = useMemo(() => totalsOf(agents), [draws]);
  const rows = useMemo(() => rowsOf(agents, { text: query["q"] ?? "", state: query["state"] as HostState | undefined, site: query["site"], folded }), [draws, query, folded]);
  const fold = (siteId: string) => setFolded((before) => (before.has(siteId) ? new Set([...before].filter((each) => each !== siteId)) : new Set([...before, siteId])));
  if (!fleetStore.hasCaughtUp && agents.length === 0) return <><Heading title="Fleet" /><p class="hint">Asking the broker for its hosts …</p></>;
  return (
    <>
      <Heading title="Fleet" />
      <RightNow totals={totals} history={history} />
      {agents.length === 0 ? <NoHosts /> : (
        <div class="columns">
          <Panel title="Hosts by site" class="wide" actions={<CapacityLegend />}>
            <div class="filters" role="search" aria-label="Find hosts">
              <Field label="Find" type="search" value={query["q"] ?? ""} onInput={(q) => changeQuery({ q })} placeholder="name, site, label, function …" />
              <Choice isInline label="State" value={query["state"] ?? ""} onChange={(state) => changeQuery({ state })} options={[["", "any"], ...Object.keys(stateMeanings).map((state) => [state, state] as const)]} />
              <Choice isInline label="Site" value={query["site"] ?? ""} onChange={(site) => changeQuery({ site })} options={[["", "any"], ...[...new Set(agents.map(({ siteId }) => siteId))].map((site) => [site, site] as const)]} />
            </div>
            {rows.length === 0
              ? <Empty title="No host is like that"><p><button type="button" onClick={() => changeQuery({ q: "", state: "", site: "" })}>Show all {formatCount(agents.length)}</button></p></Empty>
              : <><HostsHead /><VirtualList items={rows} rowHeight={44} label="Hosts" class="hosts" keyOf={keyOf} show={(row) => (row.kind === "site" ? <SiteRow row={row} onFold={fold} /> : <HostRow agent={row.agent} />)} /></>}
          </Panel>
          <div class="side">
            <FleetPlot history={history} />
            <Changes changes={fleetStore.changes.items()} />
          </div>
        </div>
      )}
    </>
  );
}

const keyOf = (row: FleetRow): string => (row.kind === "site" ? `s/${row.siteId}` : `h/${row.agent.agentId}`);

/** What stands in the columns; in words again in each line, for those who hear the page. */
function HostsHead() {
  return <div class="host-row head" aria-hidden="true"><span>Host</span><span>State</span><span class="number">Running</span><span>Instances</span><span class="number">Memory promised</span><span>Engine</span></div>;
}

function SiteRow({ row, onFold }: { readonly row: Extract<FleetRow, { kind: "site" }>; readonly onFold: (siteId: string) => void }) {
  const { siteId, totals, isFolded } = row;
  return (
    <div class="site-row">
      <button type="button" class="plain fold" aria-expanded={!isFolded} onClick={() => onFold(siteId)}><span aria-hidden="true">{isFolded ? "▸" : "▾"}</span> <strong>{siteId}</strong></button>
      <span class="hosts-of">{formatCount(totals.hosts)} {totals.hosts === 1 ? "host" : "hosts"}</span>
      <span class="number">{formatCount(totals.running)}<Unseen> running</Unseen></span>
      <CapacityBar instances={totals} />
      <span class="wide-only number">{memoryText(totals)}</span>
      <span class="states">{Object.entries(totals.states).filter(([state]) => state !== "ready").map(([state, count]) => <span key={state}>{count} <HostStateBadge state={state as HostState} /> </span>)}</span>
    </div>
  );
}

function HostRow({ agent }: { readonly agent: AgentView }) {
  const { agentId, capacity, introduction } = agent;
  return (
    <Link to={["fleet", agentId]} class="host-row">
      <span class="name"><Text>{agentId}</Text></span>
      <span><HostStateBadge state={stateOf(agent)} /></span>
      <span class="number">{capacity.running}<Unseen> running</Unseen></span>
      <CapacityBar instances={instancesOf(agent)} />
      <span class="wide-only number">{memoryText(capacity)}</span>
      <span class="wide-only quiet">{introduction === undefined ? "" : `${introduction.architecture}, ${introduction.engine.name} ${introduction.engine.version.replace(/\+.*/, "")}`}</span>
    </Link>
  );
}

function Changes({ changes }: { readonly changes: readonly HostChange[] }) {
  const nowMs = useNow();
  return (
    <Panel title="What changed" class="changes">
      {changes.length === 0 ? <p class="hint">Nothing since this page was opened. Hosts that come, go or change state are told here.</p> : (
        <ol>
          {changes.toReversed().slice(0, 30).map((change) => (
            <li key={`${change.atMs}/${change.agentId}/${change.to ?? ""}`}>
              <Link to={["fleet", change.agentId]}>{change.agentId}</Link>
              <span> {change.from === undefined ? "came" : `was ${change.from}`}{change.to === undefined ? ", is gone" : <>, is <HostStateBadge state={change.to} /></>}</span>
              <small>{formatAgo(change.atMs, nowMs)}</small>
            </li>
          ))}
        </ol>
      )}
    </Panel>
  );
}

function NoHosts() {
  return (
    <Empty title="No host has joined yet">
      <p>A host joins with one line and outbound connections only. Make a token here, then type what it prints on the host:</p>
      <Command>longshore token create --site plant</Command>
    </Empty>
  );
}
