import type { InvocationRecord } from "@longshore/sdk";
import { createInvocationId } from "@longshore/protocol";
import { useState } from "preact/hooks";
import { tryFunction } from "../functions/try-run.ts";
import { Link } from "../shell/link.tsx";
import { goTo } from "../shell/navigation.ts";
import { act, notify } from "../shell/notices.tsx";
import { addressOf } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";

/** Runs an invocation again, as it was or changed: what this page sent, or what stands in a dead letter. */
export function RunAgain({ record: { invocationId, functionName }, hasLetter }: { readonly record: InvocationRecord; readonly hasLetter: boolean }) {
  const session = useSession();
  const [isRunning, setRunning] = useState(false);
  const sent = session.sent.find(invocationId);
  const again = async () => {
    setRunning(true);
    if (sent === undefined) await redrive();
    else await send(sent.draft);
    setRunning(false);
  };
  const redrive = () => act(async () => {
    const view = await session.fleet.deadLetters.redrive(invocationId);
    goTo(addressOf(["invocations", view.state === "finished" ? view.record.invocationId : view.invocationId]));
  }, "Accepted again");
  const send = async (draft: NonNullable<typeof sent>["draft"]) => {
    const id = createInvocationId();
    session.sent.keep({ invocationId: id, functionName, draft });
    for await (const run of tryFunction(session.fleet, functionName, draft, { invocationId: id, signal: new AbortController().signal, nowMs: () => performance.now() })) {
      if (run.phase === "failed") notify(run.message, { isBad: true });
    }
    goTo(addressOf(["invocations", id]));
  };
  return (
    <>
      {(sent !== undefined || hasLetter) && <button type="button" class="primary" disabled={isRunning} onClick={() => void again()}>{isRunning ? "Running …" : "Run again"}</button>}
      <Link to={["functions", functionName, "try"]} query={sent !== undefined ? { of: invocationId } : hasLetter ? { "dead-letter": invocationId } : {}} class="button">Edit and run</Link>
    </>
  );
}
