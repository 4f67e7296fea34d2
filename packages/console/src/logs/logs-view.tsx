import { goTo } from "../shell/navigation.ts";
import { Choice, Empty, Heading } from "../shell/parts.tsx";
import { addressOf, type Query } from "../shell/route.ts";
import { useSession } from "../shell/session-context.ts";
import { Link } from "../shell/link.tsx";
import { Text } from "../shell/text.tsx";
import { LogsPanel } from "./logs-panel.tsx";

/** Logs of one function or one invocation, across hosts; the address says of which. */
export function LogsView({ query }: { readonly query: Query }) {
  const { functions } = useSession();
  const { invocation, function: functionName } = query;
  const names = (functions.value ?? []).map(({ name }) => name);
  const choose = (name: string) => goTo(addressOf(["logs"], { function: name }));
  return (
    <>
      <Heading title="Logs">{names.length > 0 && <Choice isInline label="Of" value={functionName ?? ""} options={[["", invocation === undefined ? "choose a function" : "an invocation"], ...names.map((name) => [name, name] as const)]} onChange={choose} />}</Heading>
      {invocation !== undefined ? <><p class="hint">Of invocation <Link to={["invocations", invocation]}><Text>{invocation}</Text></Link></p><LogsPanel key={invocation} subject={{ invocationId: invocation }} query={query} /></>
        : functionName !== undefined ? <LogsPanel key={functionName} subject={{ functionName }} query={query} />
        : names.length === 0 ? <Empty title="No function is deployed yet"><p>What instances write to stdout and stderr is followed here. <Link to={["deploy"]}>Deploy a function</Link> first.</p></Empty>
        : <Empty title="Whose lines?"><ul class="labels">{names.slice(0, 40).map((name) => <li key={name}><Link to={["logs"]} query={{ function: name }}><Text>{name}</Text></Link></li>)}</ul></Empty>}
    </>
  );
}
