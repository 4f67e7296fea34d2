import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Session } from "./session.ts";

/** Hands the page's session to whatever shows it. */
export const SessionContext = createContext<Session | undefined>(undefined);

/** The page's session. */
export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("There is no session around this component");
  return session;
}
