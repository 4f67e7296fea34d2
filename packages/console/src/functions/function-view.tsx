import type { FunctionView as Fn } from "@longshore/sdk";
import { Latest } from "../invocations/latest.tsx";
import { LogsPanel } from "../logs/logs-panel.tsx";
import { confirm } from "../shell/confirm.tsx";
import { Link } from "../shell/link.tsx";
import { goTo } from "../shell/navigation.ts";
import { act } from "../shell/notices.tsx";
import { usePolled } from "../shell/now.ts";
import { Command, Empty, Heading, Panel, Sideways, Unseen } from "../shell/parts.tsx";
import { formatBytes, formatMs } from "../shell/quantity.ts";
import { addressOf, type FunctionTab, functionTabs, type Query } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";
import { Moment, Text } from "../shell/text.tsx";
import { HistoryPlots } from "./history-plots.tsx";
import { TryView } from "./try-view.tsx";
import { WhereNow } from "./where-now.tsx";

const tabNames: Readonly<Record<FunctionTab, string>> = { overview: "Overview", try: "Try it", revisions: "Revisions", logs: "Logs" };

/** One function: how it fares, a place to try it, its revisions, its logs. */
export function FunctionView({ name, tab, query }: { readonly name: string; readonly tab: FunctionTab; readonly query: Query }) {
  const session = useSession();
  const view = session.functions.value?.find((each) => each.name === name);
  const crumbs = <Link to={["functions"]}>Functions</Link>;
  if (view === undefined) return <><Heading title={<Text>{name}</Text>} crumbs={crumbs} />{session.functions.value === undefined ? <p class="hint">Asking …</p> : <Empty title="No function of that name"><p>It was removed, or never deployed. <Link to={["deploy"]} query={{ name }}>Deploy it</Link>.</p></Empty>}</>;
  const remove = async () => {
    if (!(await confirm(`Remove ${name}?`, "Its instances are stopped, and calls to it are refused from now on.", "Remove"))) return;
    if (await act(() => session.fleet.remove(name), `${name} is removed`)) goTo(addressOf(["functions"]));
  };
  return (
    <>
      <Heading title={<Text>{name}</Text>} crumbs={crumbs}>
        <Link to={["deploy"]} query={{ of: name }} class="button">Deploy a change</Link>
        <button type="button" class="danger" onClick={() => void remove()}>Remove</button>
      </Heading>
      <nav class="tabs" aria-label="Of this function">{functionTabs.map((each) => <Link key={each} to={each === "overview" ? ["functions", name] : ["functions", name, each]} isCurrent={each === tab}>{tabNames[each]}</Link>)}</nav>
      {tab === "overview" && <Overview view={view} query={query} />}
      {tab === "try" && <TryView key={name} view={view} query={query} />}
      {tab === "revisions" && <Revisions key={name} name={name} />}
      {tab === "logs" && <LogsPanel key={name} subject={{ functionName: name }} query={query} />}
    </>
  );
}

function Overview({ view, query }: { readonly view: Fn; readonly query: Query }) {
  return (
    <>
      <HistoryPlots functionName={view.name} span={query["last"]} />
      <div class="columns">
        <div class="wide">
          <Latest title="Latest" filter={{ functionName: view.name }} query={{ function: view.name }}>
            <Empty title="It was not called yet"><p><Link to={["functions", view.name, "try"]}>Try it</Link>, or call it:</p><Command>{`curl -d '{}' ${window.location.origin}/f/${view.name}/`}</Command></Empty>
          </Latest>
        </div>
        <div class="side">
          <WhereNow functionName={view.name} />
          <Panel title="What it is"><Facts view={view} /></Panel>
        </div>
      </div>
    </>
  );
}

function Facts({ view }: { readonly view: Fn }) {
  const where = [...(view.placement.sites ?? []), ...Object.entries(view.placement.require ?? {}).map(([key, value]) => `${key}=${value}`)].join(", ");
  const facts: readonly (readonly [string, string])[] = [
    ["Image", view.image], ["Digest", view.resolvedImage.digest], ["Contract", view.contract], ["Revision", `r${view.revision}`], ["Memory", formatBytes(view.memoryBytes)], ["Timeout", formatMs(view.timeoutMs)],
    ["At once per instance", String(view.concurrency)], ["Kept begun", String(view.minInstances)], ["Network", view.network], ["Runs", where === "" ? "anywhere" : where],
    ["Environment", Object.keys(view.env).join(", ") || "none"], ["Secrets", view.secretNames.join(", ") || "none"],
  ];
  return <dl class="facts">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd><Text>{value}</Text></dd></div>)}</dl>;
}

function Revisions({ name }: { readonly name: string }) {
  const { fleet, functions } = useSession();
  const current = functions.value?.find((each) => each.name === name)?.revision;
  const { value, error } = usePolled(() => fleet.revisions(name), 30_000, [name, current]);
  if (value === undefined) return <p class="hint">{error?.message ?? "Asking …"}</p>;
  return (
    <Panel title="Revisions, newest first">
      <Sideways label="Revisions"><table>
        <thead><tr><th>Revision</th><th>Made</th><th>Image</th><th>Contract</th><th class="number">Memory</th><th><Unseen>What can be done</Unseen></th></tr></thead>
        <tbody>
          {value.map((each) => (
            <tr key={each.revision}>
              <td>r{each.revision}{each.revision === current && " (current)"}</td><td><Moment at={each.createdAt} isFull /></td><td class="why"><Text>{each.image}</Text><small><Text>{each.resolvedImage.digest.slice(0, 19)}</Text></small></td><td>{each.contract}</td><td class="number">{formatBytes(each.memoryBytes)}</td>
              <td>{each.revision !== current && <Link to={["deploy"]} query={{ of: name, revision: String(each.revision) }} class="button">Roll back to this</Link>}</td>
            </tr>
          ))}
        </tbody>
      </table></Sideways>
    </Panel>
  );
}
