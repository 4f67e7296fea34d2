import { signal } from "@preact/signals";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { findTargets, type Target } from "./jump.ts";
import { goTo } from "./navigation.ts";
import { addressOf } from "./route.ts";
import { useSession } from "./session-context.ts";
import { Text } from "./text.tsx";

/** Whether the field to jump from is open. */
export const isPaletteOpen = signal(false);

const pages: readonly Target[] = [
  { kind: "page", name: "Fleet", to: ["fleet"] }, { kind: "page", name: "Functions", to: ["functions"] }, { kind: "page", name: "Deploy a function", to: ["deploy"] },
  { kind: "page", name: "Invocations", to: ["invocations"] }, { kind: "page", name: "Invocations in trouble", to: ["invocations"], query: { outcome: "troubled" } },
  { kind: "page", name: "Accepted work", to: ["work"] }, { kind: "page", name: "Dead letters", to: ["work", "dead-letters"] }, { kind: "page", name: "Schedules", to: ["work", "schedules"] }, { kind: "page", name: "Logs", to: ["logs"] },
];

/** A field that jumps to any place by a part of its name. */
export function Palette() {
  const session = useSession();
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const isOpen = isPaletteOpen.value;
  // Before the next key: who types on at once must lose no letter.
  useLayoutEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
    setText("");
    setChosen(0);
  }, [isOpen]);
  if (!isOpen) return <dialog ref={dialog} class="palette" />;
  const found = findTargets(text, targets(session));
  const open = (target: Target | undefined) => {
    if (target === undefined) return;
    isPaletteOpen.value = false;
    goTo(addressOf(target.to, target.query));
  };
  const onKey = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setChosen((before) => (before + step + found.length) % Math.max(1, found.length));
    } else if (event.key === "Enter") {
      event.preventDefault();
      open(found[chosen]);
    }
  };
  const type = (value: string) => {
    setText(value);
    setChosen(0);
  };
  return (
    <dialog ref={dialog} class="palette" aria-label="Jump to" onClose={() => (isPaletteOpen.value = false)}>
      <input type="text" role="combobox" aria-expanded="true" aria-controls="palette-list" {...(found.length > 0 && { "aria-activedescendant": `palette-${chosen}` })} aria-label="Jump to a function, host, site or invocation" placeholder="Function, host, site, or an invocation's id" autofocus value={text} onInput={(event) => type(event.currentTarget.value)} onKeyDown={onKey} />
      <ul id="palette-list" role="listbox" aria-label="Places">
        {found.map((target, at) => <li key={`${target.kind}/${target.name}`} id={`palette-${at}`} role="option" aria-selected={at === chosen} onClick={() => open(target)}><Text>{target.name}</Text><small>{target.kind}</small></li>)}
        {found.length === 0 && <li class="hint" role="option" aria-disabled="true" aria-selected="false">Nothing is called like that</li>}
      </ul>
    </dialog>
  );
}

function* targets({ functions, fleetStore }: ReturnType<typeof useSession>): Generator<Target, void> {
  yield* pages;
  for (const { name } of functions.value ?? []) yield { kind: "function", name, to: ["functions", name] };
  for (const site of new Set(fleetStore.agents().map(({ siteId }) => siteId))) yield { kind: "site", name: site, to: ["fleet"], query: { site } };
  for (const { agentId } of fleetStore.agents()) yield { kind: "host", name: agentId, to: ["fleet", agentId] };
}
