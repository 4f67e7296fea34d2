import type { Outcome } from "@longshore/sdk";
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { cut, inert, piecesOf } from "./inert.ts";
import { formatAgo, formatMoment, formatTime } from "./quantity.ts";

/** Text from elsewhere: as text, what it hides shown, isolated from what stands beside it. */
export function Text({ children }: { readonly children: string }) {
  const pieces = piecesOf(children);
  return <bdi>{pieces.map((piece, at) => ("text" in piece ? piece.text : <span key={at} class="mark" title={piece.title}>{piece.mark}</span>))}</bdi>;
}

const shownAtOnce = 2_000;

/** The same for what may be long: its beginning, and a way to have it whole. */
export function LongText({ children, most = shownAtOnce }: { readonly children: string; readonly most?: number }) {
  const [isWhole, setWhole] = useState(false);
  const { shown, hidden } = cut(children, isWhole ? Infinity : most);
  return (
    <>
      <Text>{shown}</Text>
      {hidden > 0 && <button type="button" class="more" onClick={() => setWhole(true)}>show {hidden.toLocaleString("en")} characters more</button>}
    </>
  );
}

/** A block of text from elsewhere. */
export function Block({ children, label }: { readonly children: string; readonly label: string }) {
  return <pre class="block" tabIndex={0} role="region" aria-label={label}><LongText most={20_000}>{children}</LongText></pre>;
}

const outcomeTones: Readonly<Record<Outcome, string>> = { succeeded: "good", failed: "bad", timed_out: "bad", oom_killed: "bad", lost: "bad", rejected: "bad", expired: "warn", cancelled: "quiet" };

/** An outcome as a word with its colour; beside it the function's own status, where that says no. */
export function OutcomeBadge({ outcome, status }: { readonly outcome: Outcome; readonly status?: number | undefined }) {
  const isNo = outcome === "succeeded" && status !== undefined && status >= 400;
  const tone = isNo ? (status >= 500 ? "bad" : "warn") : outcomeTones[outcome];
  return <span class={`badge ${tone}`}>{outcome.replaceAll("_", " ")}{status !== undefined && <small> {status}</small>}</span>;
}

/** A small word with a colour. */
export function Badge({ tone, children, title }: { readonly tone: "good" | "bad" | "warn" | "quiet" | "info"; readonly children: ComponentChildren; readonly title?: string }) {
  return <span class={`badge ${tone}`} title={title}>{children}</span>;
}

/** A moment: its time, with its day where one looks closer. */
export function Moment({ at, isFull = false }: { readonly at: string; readonly isFull?: boolean }) {
  return <time dateTime={inert(at)} title={formatMoment(at)}>{isFull ? formatMoment(at) : formatTime(at)}</time>;
}

/** How long ago a moment was. */
export function Ago({ at, nowMs }: { readonly at: string; readonly nowMs: number }) {
  return <time dateTime={inert(at)} title={formatMoment(at)}>{formatAgo(Date.parse(at), nowMs)}</time>;
}
