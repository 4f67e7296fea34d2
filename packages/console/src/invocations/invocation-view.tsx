import type { DeadLetter, InvocationRecord, InvocationView as View } from "@longshore/sdk";
import { useEffect, useState } from "preact/hooks";
import { HeaderTable } from "../functions/try-view.tsx";
import { LogsPanel } from "../logs/logs-panel.tsx";
import { confirm } from "../shell/confirm.tsx";
import { Link } from "../shell/link.tsx";
import { act } from "../shell/notices.tsx";
import { useNow } from "../shell/now.ts";
import { Empty, Heading, Panel, Sideways } from "../shell/parts.tsx";
import { formatBytes } from "../shell/quantity.ts";
import type { Query } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";
import { Badge, Block, Moment, OutcomeBadge, Text } from "../shell/text.tsx";
import { RunAgain } from "./run-again.tsx";
import { useDeadLetter } from "./use-dead-letter.ts";
import { pendingTimeline, timelineOf, whyThere } from "./timeline.ts";
import { TimelineView } from "./timeline-view.tsx";

/** One invocation, from its acceptance to its end, followed while it goes on. */
export function InvocationView({ invocationId, query }: { readonly invocationId: string; readonly query: Query }) {
  const session = useSession();
  const known = session.tail.find(invocationId);
  const [view, setView] = useState<View | undefined>(known === undefined ? undefined : { state: "finished", record: known });
  const [error, setError] = useState<string | undefined>(undefined);
  const phase = session.connection.value.phase;
  useEffect(() => {
    if (view?.state === "finished" || phase !== "live") return undefined;
    const leaving = new AbortController();
    void (async () => {
      try {
        for await (const next of session.fleet.invocation(invocationId)) {
          if (leaving.signal.aborted) return;
          setView(next);
          setError(undefined);
        }
      } catch (failure) {
        if (!leaving.signal.aborted) setError(failure instanceof Error ? failure.message : String(failure));
      }
    })();
    return () => leaving.abort();
  }, [invocationId, phase]);
  const crumbs = <Link to={["invocations"]}>Invocations</Link>;
  if (view === undefined) return <><Heading title={<code><Text>{invocationId}</Text></code>} crumbs={crumbs} />{error === undefined ? <p class="hint">Asking …</p> : <Empty title="It cannot be shown"><p><Text>{error}</Text></p><p>What was waited for is known for a quarter of an hour after its end, accepted work for a week.</p></Empty>}</>;
  return (
    <>
      {view.state === "finished" ? <Finished record={view.record} crumbs={crumbs} /> : <Pending view={view} crumbs={crumbs} />}
      <h2>Logs</h2>
      <LogsPanel subject={{ invocationId }} query={query} />
    </>
  );
}

function Pending({ view, crumbs }: { readonly view: Exclude<View, { state: "finished" }>; readonly crumbs: preact.ComponentChildren }) {
  const { fleet } = useSession();
  const nowMs = useNow();
  const { invocationId, functionName } = view;
  const cancel = async () => {
    if (await confirm("Cancel this invocation?", "What runs is ended; nothing of it is run again.", "Cancel it")) await act(() => fleet.invocation(invocationId).cancel(), "Its end was asked for");
  };
  return (
    <>
      <Heading title={<><Link to={["functions", functionName]}><Text>{functionName}</Text></Link> <Badge tone="info">{view.state}</Badge></>} crumbs={crumbs}>
        <button type="button" class="danger" disabled={view.cancelRequested === true} onClick={() => void cancel()}>{view.cancelRequested === true ? "Cancel was asked for" : "Cancel"}</button>
      </Heading>
      <p><code><Text>{invocationId}</Text></code>, accepted <Moment at={view.acceptedAt} isFull />{view.notBefore !== undefined && <>, not to begin before <Moment at={view.notBefore} isFull /></>}{view.expiresAt !== undefined && <>, expires <Moment at={view.expiresAt} isFull /></>}</p>
      <Panel title="Its life so far"><TimelineView timeline={pendingTimeline(view, nowMs)} /></Panel>
      {view.past !== undefined && <Attempts past={view.past} />}
    </>
  );
}

function Finished({ record, crumbs }: { readonly record: InvocationRecord; readonly crumbs: preact.ComponentChildren }) {
  const { result, functionName, invocationId } = record;
  const letter = useDeadLetter(record);
  return (
    <>
      <Heading title={<><Link to={["functions", functionName]}><Text>{functionName}</Text></Link> <OutcomeBadge outcome={result.outcome} status={result.status} /></>} crumbs={crumbs}><RunAgain record={record} hasLetter={letter !== undefined} /></Heading>
      <p><code><Text>{invocationId}</Text></code>, accepted <Moment at={record.acceptedAt} isFull />, ended <Moment at={record.finishedAt} />{record.redriveOf !== undefined && <>, again of <Link to={["invocations", record.redriveOf]}><Text>{record.redriveOf}</Text></Link></>}{record.trace !== undefined && <>, trace <code><Text>{record.trace.traceId}</Text></code></>}</p>
      {result.outcome !== "succeeded" && <Why record={record} />}
      <div class="columns">
        <Panel title="Its life" class="wide"><TimelineView timeline={timelineOf(record)} /><p class="hint">Why there: <Text>{whyThere(record)}</Text></p></Panel>
        <Panel title="Where it ran"><Facts record={record} /></Panel>
      </div>
      {record.past !== undefined && <Attempts past={record.past} />}
      <Exchange record={record} letter={letter} />
    </>
  );
}

function Why({ record: { result } }: { readonly record: InvocationRecord }) {
  const evidence = [result.exitCode === undefined || result.message?.includes(`code ${result.exitCode}`) === true ? undefined : `exit code ${result.exitCode}`, result.signal, result.stopProven === false ? "it may still be running" : undefined].filter((each) => each !== undefined);
  return (
    <Panel title="What went wrong" class="troubled">
      {(result.message ?? result.error?.message) !== undefined && <p class="why-text"><Text>{result.message ?? result.error?.message ?? ""}</Text></p>}
      {result.error !== undefined && <p class="hint">Ours: <code>{result.error.reason}</code>{result.error.phase !== undefined && <> in {result.error.phase}</>}</p>}
      {evidence.length > 0 && <p>{evidence.join(", ")}</p>}
      {result.stderrTail !== undefined && <><h3>The end of its stderr</h3><Block label="stderr">{result.stderrTail}</Block></>}
    </Panel>
  );
}

function Facts({ record }: { readonly record: InvocationRecord }) {
  const { siteId, agentId, instanceId, revisionId, attempt, start } = record;
  return (
    <dl class="facts">
      <div><dt>Site</dt><dd>{siteId === undefined ? "none" : <Link to={["fleet"]} query={{ site: siteId }}><Text>{siteId}</Text></Link>}</dd></div>
      <div><dt>Host</dt><dd>{agentId === undefined ? "none" : <Link to={["fleet", agentId]}><Text>{agentId}</Text></Link>}</dd></div>
      <div><dt>Instance</dt><dd><Text>{instanceId ?? "none"}</Text>{start !== undefined && ` (${start})`}</dd></div>
      <div><dt>Revision</dt><dd><Text>{revisionId ?? "none"}</Text></dd></div>
      <div><dt>Attempt</dt><dd>{attempt}</dd></div>
      <div><dt>Sent, answered</dt><dd>{formatBytes(record.payloadBytes)}, {formatBytes(record.resultBytes)}</dd></div>
    </dl>
  );
}

function Attempts({ past }: { readonly past: NonNullable<InvocationRecord["past"]> }) {
  return (
    <Panel title="Attempts before">
      <Sideways label="Attempts before"><table>
        <thead><tr><th class="number">Attempt</th><th>Ended</th><th>Where</th><th>Outcome</th><th>Why</th></tr></thead>
        <tbody>{past.map(({ attempt, endedAt, siteId, agentId, result }) => <tr key={attempt}><td class="number">{attempt}</td><td><Moment at={endedAt} /></td><td><Text>{`${siteId} / ${agentId}`}</Text></td><td><OutcomeBadge outcome={result.outcome} status={result.status} /></td><td class="why"><Text>{result.message ?? result.error?.message ?? ""}</Text></td></tr>)}</tbody>
      </table></Sideways>
    </Panel>
  );
}

function Exchange({ record: { invocationId, resultKept, resultHeaders, resultBytes }, letter }: { readonly record: InvocationRecord; readonly letter: DeadLetter | undefined }) {
  const session = useSession();
  const [text, setText] = useState<string | undefined>(undefined);
  const sent = session.sent.find(invocationId);
  const show = () => void act(async () => setText(await session.fleet.invocation(invocationId).text()));
  return (
    <div class="columns">
      <Panel title="Request" class="half">
        {sent === undefined ? letter === undefined ? <p class="hint">It was not sent from this page, and brokers keep the requests of dead letters only.</p> : <><p><code><Text>{`${letter.request.method} ${letter.request.target}`}</Text></code></p><HeaderTable headers={letter.request.headers} /></> : <><p><code><Text>{`${sent.draft.method} ${sent.draft.path}`}</Text></code></p><Block label="Request's headers and body">{`${sent.draft.headers}\n\n${sent.draft.body}`}</Block></>}
      </Panel>
      <Panel title="Answer" class="half" actions={resultKept && resultBytes > 0 && text === undefined ? <button type="button" onClick={show}>Show its body ({formatBytes(resultBytes)})</button> : undefined}>
        {resultHeaders === undefined ? <p class="hint">Its headers are not kept.</p> : <HeaderTable headers={resultHeaders} />}
        {!resultKept && <p class="hint">Its body is not kept.</p>}
        {text !== undefined && <Block label="Answer's body">{text}</Block>}
      </Panel>
    </div>
  );
}
