import { outcomes } from "@longshore/protocol";
import type { InvocationRecord } from "@longshore/sdk";
import { useEffect, useState } from "preact/hooks";
import { Link } from "../shell/link.tsx";
import { changeQuery } from "../shell/navigation.ts";
import { act } from "../shell/notices.tsx";
import { Choice, Command, Empty, Field, Heading } from "../shell/parts.tsx";
import { PauseButton } from "../shell/pause-button.tsx";
import { formatCount } from "../shell/quantity.ts";
import type { Query } from "../shell/route.ts";
import { useDraws } from "../shell/use-draws.ts";
import { useSession } from "../shell/session-context.ts";
import { Text } from "../shell/text.tsx";
import { type InvocationFilter, matches, readFilter } from "./invocation-filter.ts";
import { InvocationRows } from "./invocation-rows.tsx";
import { readRecords } from "./record-source.ts";

/** Invocations as they end, and those that ended before. */
export function InvocationsView({ query }: { readonly query: Query }) {
  const session = useSession();
  const [, draw] = useState(0);
  useDraws(session.tailDraws);
  const { tail } = session;
  const filter = readFilter(query);
  const live = tail.list(filter);
  return (
    <>
      <Heading title="Invocations"><PauseButton of={tail.ring} onChange={() => draw((before) => before + 1)} /></Heading>
      <section class="panel" aria-label="Invocations">
        <Filters query={query} />
        <Listing key={JSON.stringify([query["function"], query["outcome"], query["site"], query["agent"], query["before"]])} live={live} filter={filter} query={query} />
      </section>
    </>
  );
}

function Filters({ query }: { readonly query: Query }) {
  const { functions, fleetStore } = useSession();
  const [isOpen, setOpen] = useState(["slower", "before", "id"].some((name) => query[name] !== undefined));
  const sites = [...new Set(fleetStore.agents().map(({ siteId }) => siteId))];
  return (
    <div class="filters" role="search" aria-label="Find invocations">
      <Choice isInline label="Function" value={query["function"] ?? ""} options={[["", "any"], ...(functions.value ?? []).map(({ name }) => [name, name] as const)]} onChange={(value) => changeQuery({ function: value })} />
      <Choice isInline label="Outcome" value={query["outcome"] ?? ""} options={[["", "any"], ["troubled", "in trouble"], ...outcomes.map((each) => [each, each.replaceAll("_", " ")] as const)]} onChange={(outcome) => changeQuery({ outcome })} />
      <Choice isInline label="Site" value={query["site"] ?? ""} options={[["", "any"], ...sites.map((site) => [site, site] as const)]} onChange={(site) => changeQuery({ site })} />
      <button type="button" class="phone-only" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>{isOpen ? "Fewer filters" : "More filters"}</button>
      <div class={isOpen ? "more-filters open" : "more-filters"}>
        <Field label="Slower than, ms" type="number" value={query["slower"] ?? ""} onInput={(slower) => changeQuery({ slower })} />
        <Field label="Ended before" value={query["before"] ?? ""} onInput={(before) => changeQuery({ before })} placeholder="as 2026-11-28 20:15" />
        <Field label="Id" type="search" value={query["id"] ?? ""} onInput={(id) => changeQuery({ id })} placeholder="any part of it" isCode />
      </div>
      {query["agent"] !== undefined && <button type="button" onClick={() => changeQuery({ agent: "" })}>Not only of <Text>{query["agent"]}</Text></button>}
    </div>
  );
}

/** Stands for the next page where the broker lists none. */
const unknownBefore = "unknown";

/** What came since the page was opened, then what the broker has from before, page by page. */
function Listing({ live, filter, query }: { readonly live: readonly InvocationRecord[]; readonly filter: InvocationFilter; readonly query: Query }) {
  const session = useSession();
  const [older, setOlder] = useState<readonly InvocationRecord[]>([]);
  const [next, setNext] = useState<string | undefined>(beforeOf(query["before"]) ?? new Date().toISOString());
  const [isAsking, setAsking] = useState(false);
  const ask = async () => {
    if (next === undefined || next === unknownBefore || isAsking) return;
    setAsking(true);
    await act(async () => {
      const { functionName, site, agentId } = filter;
      const outcome = filter.outcome === "troubled" ? undefined : filter.outcome;
      const page = await readRecords(session.fleet, { limit: 100, before: next, ...(functionName !== undefined && { function: functionName }), ...(site !== undefined && { site }), ...(agentId !== undefined && { agent: agentId }), ...(outcome !== undefined && { outcome }) });
      setOlder((before) => [...before, ...(page?.records ?? [])]);
      setNext(page === undefined ? unknownBefore : page.next);
    });
    setAsking(false);
  };
  useEffect(() => void ask(), []);
  const known = new Set(older.map(({ invocationId }) => invocationId));
  const isNow = beforeOf(query["before"]) === undefined;
  const records = [...(isNow ? live.filter(({ invocationId }) => !known.has(invocationId)) : []), ...older.filter((record) => matches(filter, record))];
  return (
    <>
      {records.length === 0 ? <NoInvocations isFiltered={Object.keys(query).length > 0} isAsking={isAsking} /> : <InvocationRows records={records} isLong />}
      <p class="hint" role="status">
        {formatCount(records.length)} shown, newest first.{" "}
        {next === unknownBefore ? "This broker lists none from before the page was opened." : next === undefined ? "That is all that is kept: a quarter of an hour of calls, a week of accepted work." : <button type="button" disabled={isAsking} onClick={() => void ask()}>{isAsking ? "Asking …" : "Older ones"}</button>}
      </p>
    </>
  );
}

function NoInvocations({ isFiltered, isAsking }: { readonly isFiltered: boolean; readonly isAsking: boolean }) {
  if (isAsking) return <p class="hint">Asking …</p>;
  if (isFiltered) return <Empty title="None is like that"><p><Link to={["invocations"]}>Show all</Link></p></Empty>;
  return <Empty title="Nothing was called yet"><p>Each call stands here the moment it ends. <Link to={["functions"]}>Try a function</Link>, or call one:</p><Command>{`curl -d '{}' ${window.location.origin}/f/NAME/`}</Command></Empty>;
}

/** A moment as people type it, in their own time; undefined for none. */
function beforeOf(text: string | undefined): string | undefined {
  const moment = new Date(text ?? "");
  return Number.isNaN(moment.getTime()) ? undefined : moment.toISOString();
}
