import { signal } from "@preact/signals";
import { readRoute, type Route } from "./route.ts";

const here = (): Route => readRoute(window.location.pathname, window.location.search);

/** Where the page is; follows the address. */
export const route = signal<Route>(here());
/** Counts moves to another place, for what is to happen once there. */
export const moves = signal(0);

/** Goes to an address of the console; `replace` leaves no step back, for what is typed into a filter. */
export function goTo(address: string, { replace = false } = {}): void {
  const isElsewhere = address.split("?")[0] !== window.location.pathname;
  if (replace) window.history.replaceState(null, "", address);
  else window.history.pushState(null, "", address);
  route.value = here();
  if (isElsewhere) {
    moves.value += 1;
    window.scrollTo(0, 0);
  }
}

/** The same place with some of its query changed; empty values go. */
export function changeQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const query = new URLSearchParams(window.location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === "") query.delete(name);
    else query.set(name, value);
  }
  const search = query.toString();
  goTo(`${window.location.pathname}${search === "" ? "" : `?${search}`}`, { replace: true });
}

/** Follows the browser's own steps back and forth. */
export function followAddress(): void {
  window.addEventListener("popstate", () => {
    route.value = here();
    moves.value += 1;
  });
}
