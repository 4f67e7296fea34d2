import { placesOf } from "../fleet/instances.ts";
import { Link } from "../shell/link.tsx";
import { Panel } from "../shell/parts.tsx";
import { formatCount } from "../shell/quantity.ts";
import { useSession } from "../shell/session-context.ts";
import { Text } from "../shell/text.tsx";
import { useDraws } from "../shell/use-draws.ts";

const shown = 6;

/** On which hosts a function has instances at this moment, and what they do. */
export function WhereNow({ functionName }: { readonly functionName: string }) {
  const { fleetStore, fleetDraws } = useSession();
  useDraws(fleetDraws);
  const places = placesOf(fleetStore.agents(), functionName);
  const sum = (of: "running" | "instances") => formatCount(places.reduce((all, place) => all + place[of], 0));
  if (places.length === 0) return <Panel title="Where it is now"><p class="hint">On no host: the next call starts it.</p></Panel>;
  return (
    <Panel title="Where it is now" actions={<small>{sum("running")} running, {sum("instances")} instances</small>}>
      <ul class="places">
        {places.slice(0, shown).map(({ agentId, siteId, running, instances, held }) => (
          <li key={agentId}><span><Text>{`${siteId} / `}</Text><Link to={["fleet", agentId]}><Text>{agentId}</Text></Link></span><small>{running > 0 && `${formatCount(running)} running in `}{formatCount(instances)} {instances === 1 ? "instance" : "instances"}{held > 0 && `, ${formatCount(held)} held`}</small></li>
        ))}
      </ul>
      {places.length > shown && <p class="hint">and on {formatCount(places.length - shown)} more</p>}
    </Panel>
  );
}
