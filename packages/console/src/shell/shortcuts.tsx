import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { goTo } from "./navigation.ts";
import { isPaletteOpen } from "./palette.tsx";
import { addressOf } from "./route.ts";

const isHelpOpen = signal(false);

/** Keys that go somewhere, after `g`. */
const places: Readonly<Record<string, readonly [place: readonly string[], name: string]>> = {
  f: [["fleet"], "Fleet"], u: [["functions"], "Functions"], i: [["invocations"], "Invocations"], w: [["work"], "Accepted work"], l: [["logs"], "Logs"], d: [["deploy"], "Deploy"],
};

/** Listens for the page's keys: those that are typed into a field are the field's. */
export function listenForKeys(): void {
  let wasG = false;
  window.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      isPaletteOpen.value = true;
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
    const place = wasG ? places[event.key] : undefined;
    wasG = event.key === "g";
    if (place !== undefined) goTo(addressOf(place[0]));
    else if (event.key === "/") focusSearch(event);
    else if (event.key === "?") isHelpOpen.value = true;
  });
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest("dialog") !== null);
}

/** The screen's own search, or where it has none the field that jumps. */
function focusSearch(event: KeyboardEvent): void {
  event.preventDefault();
  const field = document.querySelector<HTMLInputElement>("main input[type=search]");
  if (field === null) isPaletteOpen.value = true;
  else field.focus();
}

/** What the keys do. */
export function ShortcutHelp() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = isHelpOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
  }, [isOpen]);
  return (
    <dialog ref={dialog} aria-labelledby="keys-title" onClose={() => (isHelpOpen.value = false)}>
      <h2 id="keys-title">Keys</h2>
      <dl class="facts">
        <div><dt><kbd>Ctrl K</kbd></dt><dd>jump to a function, host, site or invocation</dd></div>
        <div><dt><kbd>/</kbd></dt><dd>find on this screen</dd></div>
        {Object.entries(places).map(([key, [, name]]) => <div key={key}><dt><kbd>g</kbd> <kbd>{key}</kbd></dt><dd>{name}</dd></div>)}
        <div><dt><kbd>Ctrl ⏎</kbd></dt><dd>send what is tried</dd></div>
      </dl>
      <form method="dialog"><button class="primary">Close</button></form>
    </dialog>
  );
}
