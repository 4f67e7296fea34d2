import { formatTraceparent, type HeaderList, headers as names, type InvocationTrace, parseTraceparent, type RequestHead, type TraceParent } from "@longshore/protocol";
import { hopId } from "./hop-ids.ts";

/** What the caller's headers say of its trace; undefined where they say nothing, or no one thing. */
export function callersTrace(headers: HeaderList): TraceParent | undefined {
  const found = headers.filter(([name]) => name.toLowerCase() === names.traceparent);
  return found.length === 1 ? parseTraceparent(found[0]?.[1] ?? "") : undefined;
}

/** The `traceparent` of whatever serves an attempt: what it does is beneath the attempt's run. */
export function traceparentOf(trace: InvocationTrace, attempt: number): string {
  return formatTraceparent({ ...trace, spanId: hopId(trace, "run", attempt) });
}

/** The request as an attempt's function gets it. A state without a trace is no one's. */
export function tracedRequest(request: RequestHead, trace: InvocationTrace, attempt: number): RequestHead {
  const isDropped = (name: string) => name === names.traceparent || (name === names.tracestate && trace.parentId === undefined);
  const kept = request.headers.filter(([name]) => !isDropped(name.toLowerCase()));
  return { ...request, headers: [...kept, [names.traceparent, traceparentOf(trace, attempt)]] };
}

/** The answer's headers with what tells the caller which span was its invocation's. */
export function tracedAnswer(headers: HeaderList, trace: InvocationTrace): [string, string][] {
  const kept = headers.filter(([name]) => name.toLowerCase() !== names.traceresponse).map(([name, value]): [string, string] => [name, value]);
  return [...kept, [names.traceresponse, formatTraceparent(trace)]];
}
