import { formatCount } from "./quantity.ts";
import type { StillRing } from "./still-ring.ts";

/** Holds what comes in still, and lets it go on; `onChange` draws it. */
export function PauseButton({ of: ring, onChange }: { readonly of: StillRing<unknown>; readonly onChange: () => void }) {
  const turn = () => {
    if (ring.isStill) ring.release();
    else ring.hold();
    onChange();
  };
  return <button type="button" aria-pressed={ring.isStill} onClick={turn}>{ring.isStill ? `Go on (${formatCount(ring.behind)} more)` : "Pause"}</button>;
}
