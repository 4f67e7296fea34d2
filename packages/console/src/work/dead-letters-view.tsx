import type { DeadLetter } from "@longshore/sdk";
import { confirm } from "../shell/confirm.tsx";
import { Link } from "../shell/link.tsx";
import { changeQuery } from "../shell/navigation.ts";
import { act, notify } from "../shell/notices.tsx";
import { usePolled } from "../shell/now.ts";
import { Choice, Empty, Panel, Sideways, Unseen } from "../shell/parts.tsx";
import type { Query } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";
import { Moment, OutcomeBadge, Text } from "../shell/text.tsx";
import { firstOf } from "./first-of.ts";

const shown = 200;

/** Accepted work that did not succeed: to be looked at, changed, submitted again or given up. */
export function DeadLettersView({ query }: { readonly query: Query }) {
  const { fleet, functions } = useSession();
  const name = query["function"];
  const { value, error, again } = usePolled(() => firstOf(fleet.deadLetters.each(name === undefined ? {} : { function: name }), shown), 10_000, [name]);
  const redriveAll = async () => {
    if (name === undefined || !(await confirm(`Submit every dead letter of ${name} again?`, "Each becomes a new invocation.", "Submit again"))) return;
    await act(async () => {
      const { redriven, failed } = await fleet.deadLetters.redriveAll(name);
      notify(`${redriven} submitted again${failed > 0 ? `, ${failed} could not be` : ""}`, { isBad: failed > 0 });
    });
    again();
  };
  const choice = <Choice isInline label="Function" value={name ?? ""} options={[["", "any"], ...(functions.value ?? []).map((each) => [each.name, each.name] as const)]} onChange={(chosen) => changeQuery({ function: chosen })} />;
  if (value === undefined) return <p class="hint">{error?.message ?? "Asking …"}</p>;
  return (
    <Panel title="Kept for 14 days" actions={<div class="actions">{choice}<button type="button" disabled={name === undefined || value.items.length === 0} title={name === undefined ? "Choose a function first" : undefined} onClick={() => void redriveAll()}>Submit all again</button></div>}>
      {value.items.length === 0 ? <Empty title="No dead letters"><p>Accepted work whose attempts all failed stands here with what its caller sent, so that nothing is lost.</p></Empty> : (
        <Sideways label="Dead letters"><table>
          <thead><tr><th>Function</th><th>Outcome</th><th>Ended</th><th class="number">Attempts</th><th>Why</th><th><Unseen>What can be done</Unseen></th></tr></thead>
          <tbody>{value.items.map((letter) => <Row key={letter.record.invocationId} letter={letter} onChange={again} />)}</tbody>
        </table></Sideways>
      )}
      {value.hasMore && <p class="hint">The first {shown}; there are more.</p>}
    </Panel>
  );
}

function Row({ letter: { record }, onChange }: { readonly letter: DeadLetter; readonly onChange: () => void }) {
  const { fleet } = useSession();
  const { invocationId, functionName, result } = record;
  const giveUp = async () => {
    if (await confirm("Give this dead letter up?", "What its caller sent is deleted.", "Give up")) await act(() => fleet.deadLetters.remove(invocationId), "Given up");
    onChange();
  };
  const redrive = async () => {
    await act(() => fleet.deadLetters.redrive(invocationId), "Submitted again, as a new invocation");
    onChange();
  };
  return (
    <tr>
      <td><Link to={["invocations", invocationId]}><Text>{functionName}</Text></Link></td>
      <td><OutcomeBadge outcome={result.outcome} status={result.status} /></td><td><Moment at={record.finishedAt} isFull /></td><td class="number">{record.attempt}</td>
      <td class="why"><Text>{(result.message ?? result.error?.message ?? "").slice(0, 300)}</Text></td>
      <td><div class="actions">
        <button type="button" onClick={() => void redrive()}>Submit again</button>
        <Link to={["functions", functionName, "try"]} query={{ "dead-letter": invocationId }} class="button">Edit</Link>
        <button type="button" class="danger" onClick={() => void giveUp()}>Give up</button>
      </div></td>
    </tr>
  );
}
