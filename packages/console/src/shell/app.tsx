import { useEffect, useRef } from "preact/hooks";
import { FleetView } from "../fleet/fleet-view.tsx";
import { HostView } from "../fleet/host-view.tsx";
import { DeployView } from "../functions/deploy-view.tsx";
import { FunctionView } from "../functions/function-view.tsx";
import { FunctionsView } from "../functions/functions-view.tsx";
import { InvocationView } from "../invocations/invocation-view.tsx";
import { InvocationsView } from "../invocations/invocations-view.tsx";
import { LogsView } from "../logs/logs-view.tsx";
import { WorkView } from "../work/work-view.tsx";
import { Confirm } from "./confirm.tsx";
import { Link } from "./link.tsx";
import { Menu } from "./menu.tsx";
import { moves, route } from "./navigation.ts";
import { Notices } from "./notices.tsx";
import { Palette } from "./palette.tsx";
import { Empty, Heading } from "./parts.tsx";
import { type Route, titleOf } from "./route.ts";
import type { Session } from "./session.ts";
import { SessionContext } from "./session-context.ts";
import { ShortcutHelp } from "./shortcuts.tsx";
import { LostBanner } from "./status.tsx";
import { Refused, Unlock } from "./unlock.tsx";

/** The whole page. */
export function App({ session }: { readonly session: Session }) {
  return (
    <SessionContext.Provider value={session}>
      <Menu route={route.value} />
      <LostBanner />
      <Screen session={session} />
      <Notices />
      <Confirm />
      <Palette />
      <ShortcutHelp />
    </SessionContext.Provider>
  );
}

function Screen({ session }: { readonly session: Session }) {
  const main = useRef<HTMLElement>(null);
  const moved = moves.value;
  const state = session.connection.value;
  useEffect(() => {
    // Who came by keyboard or reads by ear begins at the new screen's title.
    if (moved > 0) main.current?.querySelector<HTMLElement>("h1")?.focus({ preventScroll: true });
  }, [moved]);
  const shown = route.value;
  useEffect(() => {
    document.title = titleOf(window.location.pathname);
  }, [shown]);
  if (state.phase === "locked") return <Unlock because={state.because} />;
  if (state.phase === "refused") return <Refused because={state.because} />;
  return <main id="main" ref={main}><Place route={shown} /></main>;
}

function Place({ route: shown }: { readonly route: Route }) {
  switch (shown.page) {
    case "fleet": return <FleetView query={shown.query} />;
    case "host": return <HostView key={shown.agentId} agentId={shown.agentId} />;
    case "functions": return <FunctionsView query={shown.query} />;
    case "function": return <FunctionView key={shown.name} name={shown.name} tab={shown.tab} query={shown.query} />;
    case "deploy": return <DeployView key={`${shown.query["of"] ?? ""}/${shown.query["revision"] ?? ""}`} query={shown.query} />;
    case "invocations": return <InvocationsView query={shown.query} />;
    case "invocation": return <InvocationView key={shown.invocationId} invocationId={shown.invocationId} query={shown.query} />;
    case "work": return <WorkView tab={shown.tab} query={shown.query} />;
    case "logs": return <LogsView query={shown.query} />;
    case "nowhere": return <><Heading title="There is nothing here" /><Empty title="This address leads nowhere"><p><Link to={["fleet"]}>Go to the fleet</Link></p></Empty></>;
  }
}
