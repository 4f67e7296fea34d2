import { createInvocationId } from "@longshore/protocol";
import type { FunctionView as Fn } from "@longshore/sdk";
import { useEffect, useRef, useState } from "preact/hooks";
import { Link } from "../shell/link.tsx";
import { act } from "../shell/notices.tsx";
import { Check, Choice, Field, Panel, Sideways } from "../shell/parts.tsx";
import { formatBytes, formatMs } from "../shell/quantity.ts";
import type { Query } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";
import { Badge, Block, OutcomeBadge, Text } from "../shell/text.tsx";
import { draftOfRequest, emptyDraft, faultOf, type RequestDraft } from "./request-draft.ts";
import { tryFunction, type TryRun } from "./try-run.ts";

const methods = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"] as const;

/** A place to call a function from, and to see its answer as it comes. */
export function TryView({ view, query }: { readonly view: Fn; readonly query: Query }) {
  const session = useSession();
  const [draft, setDraft] = useState<RequestDraft>(() => beginningOf(view, session.sent.find(query["of"] ?? "")?.draft ?? session.sent.latest(view.name)?.draft));
  const [run, setRun] = useState<TryRun>({ phase: "idle" });
  const leaving = useRef<AbortController | undefined>(undefined);
  // Who goes to look at the invocation must not end it: only the button does.
  const deadLetter = query["dead-letter"];
  useEffect(() => {
    if (deadLetter !== undefined) void act(async () => setDraft(await draftOfDeadLetter(session.fleet, deadLetter)));
  }, [deadLetter]);
  const change = (field: keyof RequestDraft) => (value: string) => setDraft((before) => ({ ...before, [field]: value }));
  const fault = faultOf(draft);
  const faultAt = (field: keyof RequestDraft) => (fault?.field === field ? fault.message : undefined);
  const isUnderWay = run.phase === "sending" || run.phase === "answering";
  const send = async () => {
    if (fault !== undefined || isUnderWay) return;
    const controller = (leaving.current = new AbortController());
    const invocationId = createInvocationId();
    session.sent.keep({ invocationId, functionName: view.name, draft });
    for await (const next of tryFunction(session.fleet, view.name, draft, { invocationId, signal: controller.signal, nowMs: () => performance.now() })) if (leaving.current === controller) setRun(next);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void send();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) void send();
  };
  return (
    <div class="try">
      <form class="panel" onSubmit={submit} onKeyDown={onKey} aria-label="Request">
        <div class="line">
          <Choice label="Method" value={draft.method} options={methods.map((method) => [method, method] as const)} onChange={change("method")} />
          <Field label="Path and query" value={draft.path} onInput={change("path")} fault={faultAt("path")} isCode />
        </div>
        <Field label="Headers" value={draft.headers} onInput={change("headers")} rows={3} hint="One name: value a line" fault={faultAt("headers")} isCode />
        <Field label="Body" value={draft.body} onInput={change("body")} rows={8} fault={faultAt("body")} isCode />
        <div class="line">
          <Field label="Where" value={draft.where} onInput={change("where")} hint="site=plant,label.gpu=true; empty: wherever the function may run" isCode list={[...new Set(session.fleetStore.agents().map(({ siteId }) => `site=${siteId}`))].slice(0, 50)} />
          <Field label="Timeout, ms" value={draft.timeoutMs} onInput={change("timeoutMs")} hint={`Empty: ${formatMs(view.timeoutMs)}`} fault={faultAt("timeoutMs")} />
        </div>
        <Check label="Have it accepted rather than wait for it" hint="It is on disk before you are told, and happens whoever dies" value={draft.isAsync} onChange={(isAsync) => setDraft((before) => ({ ...before, isAsync }))} />
        <div class="actions">
          <button type="submit" class="primary" disabled={fault !== undefined || isUnderWay}>{isUnderWay ? "Under way …" : "Send"} <kbd>Ctrl ⏎</kbd></button>
          {isUnderWay && <button type="button" onClick={() => leaving.current?.abort()}>Cancel</button>}
        </div>
      </form>
      <Panel title="Answer"><TryAnswer run={run} /></Panel>
    </div>
  );
}

function TryAnswer({ run }: { readonly run: TryRun }) {
  if (run.phase === "idle") return <p class="hint">What the function answers stands here, as it comes.</p>;
  const link = <Link to={["invocations", run.invocationId]}>Look at the invocation</Link>;
  if (run.phase === "sending") return <p class="hint" role="status">Sent; no answer has begun yet …</p>;
  if (run.phase === "accepted") return <p role="status"><Badge tone="good">accepted</Badge> It is on disk. {link}.</p>;
  if (run.phase === "failed") return <div role="status"><p><Badge tone="bad">{run.reason.replaceAll("_", " ")}</Badge> {link}</p><p><Text>{run.message}</Text>{run.field !== undefined && <> (field <code><Text>{run.field}</Text></code>)</>}</p></div>;
  const { head, body, result, tookMs } = run;
  return (
    <>
      <p role="status">
        {result === undefined ? <Badge tone="info">{head.status ?? ""} streaming</Badge> : <OutcomeBadge outcome={result.outcome} status={head.status} />}{" "}
        {formatMs(tookMs)}, {formatBytes(body.bytes)}{head.siteId !== undefined && <>, at <Text>{`${head.siteId} / ${head.agentId ?? ""}`}</Text></>}{head.start !== undefined && <>, {head.start}</>}. {link}.
      </p>
      {result?.message !== undefined && <p class="fault"><Text>{result.message}</Text></p>}
      <details><summary>{head.headers.length} headers</summary><HeaderTable headers={head.headers} /></details>
      <Block label="Answer's body">{body.text}</Block>
      {body.isCut && <p class="hint">Only the first 2 MiB are shown.</p>}
      {result?.stderrTail !== undefined && <><h3>The end of its stderr</h3><Block label="stderr">{result.stderrTail}</Block></>}
    </>
  );
}

/** Header fields as they came. */
export function HeaderTable({ headers }: { readonly headers: readonly (readonly [string, string])[] }) {
  if (headers.length === 0) return <p class="hint">None.</p>;
  return <Sideways label="Headers"><table class="headers"><tbody>{headers.map(([name, value], at) => <tr key={at}><th scope="row"><Text>{name}</Text></th><td><Text>{value}</Text></td></tr>)}</tbody></table></Sideways>;
}

function beginningOf({ contract }: Fn, before: RequestDraft | undefined): RequestDraft {
  return before ?? (contract === "stdio" ? { ...emptyDraft, headers: "", body: "" } : emptyDraft);
}

async function draftOfDeadLetter(fleet: ReturnType<typeof useSession>["fleet"], invocationId: string): Promise<RequestDraft> {
  const [{ request, where }, body] = await Promise.all([fleet.deadLetters.get(invocationId), fleet.deadLetters.body(invocationId)]);
  const parts = [...(where.site === undefined ? [] : [`site=${where.site}`]), ...(where.agent === undefined ? [] : [`agent=${where.agent}`]), ...Object.entries(where.labels ?? {}).map(([key, value]) => `label.${key}=${value}`)];
  return draftOfRequest(request, body, parts.join(","));
}
