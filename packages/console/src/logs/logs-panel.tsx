import type { LogLine } from "@longshore/sdk";
import { useEffect, useRef, useState } from "preact/hooks";
import { changeQuery } from "../shell/navigation.ts";
import { createFrameBatch } from "../shell/frame-batch.ts";
import { Choice, Empty, Field } from "../shell/parts.tsx";
import { PauseButton } from "../shell/pause-button.tsx";
import { formatCount } from "../shell/quantity.ts";
import type { Query } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";
import { Moment, Text } from "../shell/text.tsx";
import { VirtualList } from "../shell/virtual-list.tsx";
import { cut, inert } from "../shell/inert.ts";
import { fileOf, type KeptLine, LogStore } from "./log-store.ts";

/** Whose lines are followed. */
export type LogsOf = { readonly functionName: string } | { readonly invocationId: string };

/** A target for fingers is no smaller (WCAG 2.5.8). */
const rowHeight = 24;
const shownOfLine = 600;
const streamNames = { stdout: "out", stderr: "err", system: "system" } as const;

/** What a function or an invocation writes, on every host, as it comes: found among, held still, taken away as a file. */
export function LogsPanel({ subject, query }: { readonly subject: LogsOf; readonly query: Query }) {
  const session = useSession();
  const [store] = useState(() => new LogStore());
  const [, draw] = useState(0);
  const [error, setError] = useState<string | undefined>(undefined);
  const [opened, setOpened] = useState<LogLine | undefined>(undefined);
  const [changed] = useState(() => createFrameBatch((run) => requestAnimationFrame(run), () => draw((before) => before + 1)));
  const connection = session.connection.value.phase;
  const begunWith = useRef<unknown>(undefined);
  useEffect(() => {
    if (begunWith.current === session.fleet) return undefined;
    begunWith.current = session.fleet;
    const leaving = new AbortController();
    const options = { follow: true, tail: 500, signal: leaving.signal };
    const lines = "functionName" in subject ? session.fleet.logs(subject.functionName, options) : session.fleet.invocation(subject.invocationId).logs(options);
    void (async () => {
      try {
        for await (const line of lines) {
          store.take(line);
          changed();
        }
      } catch (failure) {
        if (!leaving.signal.aborted) setError(failure instanceof Error ? failure.message : String(failure));
      }
    })();
    return () => {
      begunWith.current = undefined;
      leaving.abort();
    };
  }, ["functionName" in subject ? subject.functionName : subject.invocationId, connection === "locked"]);
  const text = query["find"] ?? "";
  const items = store.list({ text, stream: query["stream"] as LogLine["stream"] | undefined, agentId: query["host"] });
  const { ring } = store;
  return (
    <section class="panel logs-panel" aria-label="Logs">
      <div class="filters" role="search" aria-label="Find lines">
        <Field label="Find" type="search" value={text} onInput={(find) => changeQuery({ find })} placeholder="in every line" />
        <Choice isInline label="Stream" value={query["stream"] ?? ""} options={[["", "all"], ["stdout", "stdout"], ["stderr", "stderr"], ["system", "system"]]} onChange={(stream) => changeQuery({ stream })} />
        <Choice isInline label="Host" value={query["host"] ?? ""} options={[["", "every"], ...store.hosts().map((host) => [host, host] as const)]} onChange={(host) => changeQuery({ host })} />
        <div class="actions">
          <PauseButton of={ring} onChange={changed} />
          <button type="button" onClick={() => download(items)} disabled={items.length === 0}>Download</button>
          <button type="button" onClick={() => { ring.clear(); changed(); }}>Clear</button>
        </div>
      </div>
      {error !== undefined && <p class="fault" role="alert"><Text>{error}</Text></p>}
      {items.length === 0
        ? <Empty title={ring.count === 0 ? "Nothing was written yet" : "No line is like that"}>{ring.count === 0 && <p>{"functionName" in subject ? "Lines come here as instances write them to stdout and stderr." : "Only instances that serve one invocation at a time tell which one wrote a line; of a web server, see its function's logs."}</p>}</Empty>
        : <VirtualList items={items} rowHeight={rowHeight} label="Lines" class="lines" followsEnd={!ring.isStill} keyOf={({ number }) => number} show={(each) => <Line kept={each} find={text} onOpen={setOpened} />} />}
      <p class="hint" role="status">{formatCount(items.length)} of {formatCount(ring.count)} lines{ring.isStill ? ", paused" : ""}</p>
      {opened !== undefined && <WholeLine line={opened} onClose={() => setOpened(undefined)} />}
    </section>
  );
}

function Line({ kept: { line }, find, onOpen }: { readonly kept: KeptLine; readonly find: string; readonly onOpen: (line: LogLine) => void }) {
  const { shown, hidden } = cut(line.line, shownOfLine);
  return (
    <div class={`log-line ${line.stream}`}>
      <span class="time"><Moment at={line.at} /></span>
      <span class="host" title={inert(`${line.siteId} / ${line.agentId} / ${line.instanceId}`)}><Text>{line.agentId}</Text></span>
      <span class="stream">{streamNames[line.stream]}</span>
      <span class="text">{find === "" ? <Text>{shown}</Text> : <Found text={shown} find={find} />}</span>
      <button type="button" class="more" aria-label="Show the whole line" onClick={() => onOpen(line)}>{hidden > 0 ? `+${formatCount(hidden)}` : "⋯"}</button>
    </div>
  );
}

/** The text with what was looked for marked. */
function Found({ text, find }: { readonly text: string; readonly find: string }) {
  const at = text.toLowerCase().indexOf(find.toLowerCase());
  if (at === -1) return <Text>{text}</Text>;
  return <><Text>{text.slice(0, at)}</Text><mark><Text>{text.slice(at, at + find.length)}</Text></mark><Text>{text.slice(at + find.length)}</Text></>;
}

function WholeLine({ line, onClose }: { readonly line: LogLine; readonly onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), [line]);
  const [most, setMost] = useState(20_000);
  const { shown, hidden } = cut(line.line, most);
  return (
    <dialog ref={dialog} class="large" aria-label="The whole line" onClose={onClose}>
      <p><Moment at={line.at} isFull /> <Text>{`${line.siteId} / ${line.agentId} / ${line.instanceId}, ${line.stream}`}</Text></p>
      <pre class="block" tabIndex={0}><Text>{shown}</Text></pre>
      <div class="actions">
        {hidden > 0 && <button type="button" onClick={() => setMost(Infinity)}>Show {formatCount(hidden)} characters more</button>}
        <button type="button" onClick={() => save("line.txt", "text/plain", line.line)}>Download</button>
        <button type="button" class="primary" onClick={() => dialog.current?.close()}>Close</button>
      </div>
    </dialog>
  );
}

const download = (items: readonly KeptLine[]): void => save("longshore-logs.jsonl", "application/x-ndjson", fileOf(items));

/** Hands a file to the browser. */
function save(name: string, type: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
