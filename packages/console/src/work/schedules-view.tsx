import type { ScheduleView } from "@longshore/sdk";
import { Link } from "../shell/link.tsx";
import { goTo } from "../shell/navigation.ts";
import { act } from "../shell/notices.tsx";
import { useNow, usePolled } from "../shell/now.ts";
import { Command, Empty, Panel, Sideways, Unseen } from "../shell/parts.tsx";
import { formatMs } from "../shell/quantity.ts";
import { addressOf } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";
import { Badge, Moment, Text } from "../shell/text.tsx";

/** Functions that are invoked at times. */
export function SchedulesView() {
  const { fleet } = useSession();
  const { value, error, again } = usePolled(() => fleet.schedules.list(), 5_000, []);
  if (value === undefined) return <p class="hint">{error?.message ?? "Asking …"}</p>;
  return (
    <Panel title="Schedules">
      {value.length === 0 ? <Empty title="Nothing is scheduled"><p>A function can be invoked by a cron line or at an interval:</p><Command>longshore schedule set nightly --function NAME --cron '0 3 * * *'</Command></Empty> : (
        <Sideways label="Schedules"><table>
          <thead><tr><th>Schedule</th><th>Function</th><th>When</th><th>Next</th><th>Last</th><th><Unseen>What can be done</Unseen></th></tr></thead>
          <tbody>{value.map((schedule) => <Row key={schedule.name} schedule={schedule} onChange={again} />)}</tbody>
        </table></Sideways>
      )}
    </Panel>
  );
}

function Row({ schedule, onChange }: { readonly schedule: ScheduleView; readonly onChange: () => void }) {
  const { fleet } = useSession();
  const nowMs = useNow();
  const { name, paused, nextAt, lastAt, lastInvocationId, lastError } = schedule;
  const turn = async () => {
    await act(() => (paused ? fleet.schedules.resume(name) : fleet.schedules.pause(name)), paused ? `${name} runs again` : `${name} is paused`);
    onChange();
  };
  const run = () => act(async () => {
    const { invocationId } = await fleet.schedules.run(name);
    goTo(addressOf(["invocations", invocationId]));
  });
  return (
    <tr>
      <td><Text>{name}</Text></td><td><Link to={["functions", schedule.function]}><Text>{schedule.function}</Text></Link></td>
      <td><code><Text>{schedule.cron ?? `every ${formatMs(schedule.everyMs ?? 0)}`}</Text></code>{schedule.timeZone !== undefined && <small> <Text>{schedule.timeZone}</Text></small>}</td>
      <td>{paused ? <Badge tone="warn">paused</Badge> : nextAt === undefined ? "none" : <><Moment at={nextAt} isFull /> <small>in {formatMs(Math.max(0, Date.parse(nextAt) - nowMs))}</small></>}</td>
      <td>{lastAt === undefined ? "never" : lastInvocationId === undefined ? <Moment at={lastAt} isFull /> : <Link to={["invocations", lastInvocationId]}><Moment at={lastAt} isFull /></Link>}{lastError !== undefined && <p class="fault"><Text>{lastError.message}</Text></p>}</td>
      <td><div class="actions"><button type="button" onClick={() => void turn()}>{paused ? "Resume" : "Pause"}</button><button type="button" onClick={() => void run()}>Run now</button></div></td>
    </tr>
  );
}
