import type { DeadLetter, InvocationRecord } from "@longshore/sdk";
import { useEffect, useState } from "preact/hooks";
import { useSession } from "../shell/session-context.ts";

/** What is left of accepted work that did not succeed, with what its caller sent; undefined where there is nothing left, or was never anything. */
export function useDeadLetter({ invocationId, result }: InvocationRecord): DeadLetter | undefined {
  const { fleet } = useSession();
  const [letter, setLetter] = useState<DeadLetter | undefined>(undefined);
  useEffect(() => {
    if (result.outcome === "succeeded") return undefined;
    const leaving = new AbortController();
    fleet.deadLetters.get(invocationId).then(
      (found) => { if (!leaving.signal.aborted) setLetter(found); },
      () => undefined, // A call that was waited for has none.
    );
    return () => leaving.abort();
  }, [invocationId]);
  return letter;
}
