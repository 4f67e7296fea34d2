import { startKinds } from "@longshore/protocol";
import type { FunctionView as Fn } from "@longshore/sdk";
import { Link } from "../shell/link.tsx";
import { changeQuery } from "../shell/navigation.ts";
import { useNow } from "../shell/now.ts";
import { Command, Empty, Field, Heading, Unseen } from "../shell/parts.tsx";
import { formatCount, formatMs } from "../shell/quantity.ts";
import type { Query } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";
import { Text } from "../shell/text.tsx";
import { VirtualList } from "../shell/virtual-list.tsx";
import { Spark } from "./spark.tsx";
import { summarize, type Summary } from "./summary.ts";
import { type KnownHistory, useHistory } from "./use-history.ts";

const lastMs = 600_000;

/** Every function, and how each fares. */
export function FunctionsView({ query }: { readonly query: Query }) {
  const session = useSession();
  const history = useHistory(undefined, lastMs);
  const nowMs = useNow();
  const all = session.functions.value;
  const text = (query["q"] ?? "").toLowerCase();
  const wanted = (all ?? []).filter(({ name, image, contract }) => `${name} ${image} ${contract}`.toLowerCase().includes(text));
  return (
    <>
      <Heading title="Functions"><Link to={["deploy"]} class="button primary">Deploy</Link></Heading>
      {all === undefined ? <p class="hint">Asking the broker for its functions …</p> : all.length === 0 ? <NoFunctions /> : (
        <section class="panel" aria-label="Functions">
          <div class="filters" role="search" aria-label="Find functions"><Field label="Find" type="search" value={query["q"] ?? ""} onInput={(q) => changeQuery({ q })} placeholder="name, image, contract …" /></div>
          <div class="function-row head" aria-hidden="true"><span>Function</span><span class="number">Ended</span><span>Last 10 minutes</span><span class="number">Failed</span><span class="number">Median</span><span class="number">p99</span><span class="wide-only">Began from</span></div>
          {wanted.length === 0 ? <Empty title="No function is like that" /> : <VirtualList items={wanted} rowHeight={56} label="Functions" class="functions" keyOf={({ name }) => name} show={(view) => <FunctionRow view={view} history={history} nowMs={nowMs} />} />}
        </section>
      )}
    </>
  );
}

function FunctionRow({ view, history, nowMs }: { readonly view: Fn; readonly history: KnownHistory; readonly nowMs: number }) {
  const points = history.points(view.name);
  const summary = summarize(points, nowMs - lastMs, nowMs);
  return (
    <Link to={["functions", view.name]} class="function-row">
      <span class="name"><strong><Text>{view.name}</Text></strong><small><Text>{view.image}</Text> · {view.contract} · r{view.revision}</small></span>
      <span class="number">{formatCount(summary.count)}<Unseen> ended in 10 minutes</Unseen></span>
      <span><Spark points={points} nowMs={nowMs} lastMs={lastMs} stepMs={history.stepMs} /></span>
      <span class={summary.failedShare > 0 ? "number bad-text" : "number"}>{summary.count === 0 ? "–" : `${(summary.failedShare * 100).toFixed(1)} %`}<Unseen> failed</Unseen></span>
      <span class="number">{summary.p50Ms === undefined ? "–" : formatMs(summary.p50Ms)}<Unseen> in the median</Unseen></span>
      <span class="number">{summary.p99Ms === undefined ? "–" : formatMs(summary.p99Ms)}<Unseen> at the 99th percentile</Unseen></span>
      <span class="wide-only quiet">{startsText(summary)}</span>
    </Link>
  );
}

function startsText({ starts }: Summary): string {
  return startKinds.flatMap((kind) => (starts[kind] === undefined ? [] : [`${formatCount(starts[kind])} ${kind}`])).join(", ");
}

function NoFunctions() {
  return (
    <Empty title="No function is deployed yet">
      <p>Any image will do: a web server, a Lambda image, a program that reads stdin. <Link to={["deploy"]}>Deploy one from here</Link>, or from a terminal:</p>
      <Command>longshore deploy hello --image ghcr.io/acme/hello:1</Command>
    </Empty>
  );
}
