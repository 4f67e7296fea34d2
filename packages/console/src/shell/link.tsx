import type { ComponentChildren } from "preact";
import { goTo } from "./navigation.ts";
import { addressOf, type Query } from "./route.ts";

export interface LinkProps {
  /** The parts of the path below `/console`. */
  readonly to: readonly string[];
  readonly query?: Query | undefined;
  readonly class?: string | undefined;
  readonly title?: string | undefined;
  readonly isCurrent?: boolean | undefined;
  readonly children?: ComponentChildren;
}

/** A link to a place of the console; opened elsewhere (a new tab) as any link is. */
export function Link({ to, query, isCurrent, children, ...rest }: LinkProps) {
  const address = addressOf(to, query);
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    goTo(address);
  };
  return <a href={address} onClick={follow} {...(isCurrent === true && { "aria-current": "page" as const })} {...rest}>{children}</a>;
}
