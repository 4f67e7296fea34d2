import { useNow } from "./now.ts";
import { formatAgo } from "./quantity.ts";
import { useSession } from "./session-context.ts";

/** Whether what is shown is live. */
export function Status() {
  const { connection } = useSession();
  const { phase } = connection.value;
  const words = { connecting: "Connecting", live: "Live", lost: "Connection lost", locked: "Locked", refused: "Refused" } as const;
  return <span class={`status ${phase}`} role="status">{words[phase]}</span>;
}

/** Says so across the page when what is shown is not live any more, and since when. */
export function LostBanner() {
  const { connection } = useSession();
  const nowMs = useNow();
  const state = connection.value;
  if (state.phase !== "lost") return null;
  return <p class="banner" role="alert"><strong>The broker is out of reach.</strong> What you see is from {formatAgo(state.sinceMs, nowMs)}; it is tried again until it answers, and all is brought up to date then.</p>;
}
