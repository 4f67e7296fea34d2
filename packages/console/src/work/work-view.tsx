import { Link } from "../shell/link.tsx";
import { Heading } from "../shell/parts.tsx";
import { type Query, type WorkTab, workTabs } from "../shell/route.ts";
import { DeadLettersView } from "./dead-letters-view.tsx";
import { QueuePanel } from "./queue-panel.tsx";
import { SchedulesView } from "./schedules-view.tsx";

const names: Readonly<Record<WorkTab, string>> = { queue: "Under way", "dead-letters": "Dead letters", schedules: "Schedules" };

/** Accepted work: what waits, what could not be done, and what is to be done at times. */
export function WorkView({ tab, query }: { readonly tab: WorkTab; readonly query: Query }) {
  return (
    <>
      <Heading title="Accepted work" />
      <nav class="tabs" aria-label="Of accepted work">{workTabs.map((each) => <Link key={each} to={each === "queue" ? ["work"] : ["work", each]} isCurrent={each === tab}>{names[each]}</Link>)}</nav>
      {tab === "queue" && <QueuePanel />}
      {tab === "dead-letters" && <DeadLettersView query={query} />}
      {tab === "schedules" && <SchedulesView />}
    </>
  );
}
