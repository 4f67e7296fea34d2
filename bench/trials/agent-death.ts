import { createFleet, type Fleet, type InvocationView } from "@longshore/sdk";
import { docker } from "../../test/support/agent-engine.ts";
import { startProcesses } from "../../test/support/processes.ts";
import { punctualImage } from "../images.ts";
import { tally, type TrialResult, until, untilTime } from "./trial.ts";

const [finishing, unfinished] = [25, 25];
/** Enough to have all of them begun. */
const beginWithinMs = 40_000;
/** The same program under two names: an instance whose runs have all finished is taken over by the next process, as it should be. */
const [finisher, runner] = ["finishing", "unfinished"];

/**
 * An agent is killed during 50 runs, half of which have finished while no broker was there to hear of it: those must arrive, once; the others
 * are lost; and nothing of them may run on.
 */
export async function agentDeath(): Promise<TrialResult> {
  await using processes = await startProcesses({ separateBus: true, agents: [{ siteId: "main", environment: { LONGSHORE_AGENT_HELD_MAX: "0" } }] });
  const [agent] = processes.agents;
  if (agent === undefined) throw new Error("An agent was asked for");
  const first = createFleet({ url: processes.url, transport: "http" });
  const image = await punctualImage();
  for (const name of [finisher, runner]) await first.deploy({ name, image, contract: "http", port: 8080, concurrency: 10, memoryBytes: 96 * 2 ** 20, timeoutMs: 1_200_000 });
  const answerAtMs = Date.now() + beginWithinMs;
  const submit = (name: string, at: number) => first.enqueue(name, String(at)).then(({ invocationId }) => invocationId);
  const finishingIds = await Promise.all(Array.from({ length: finishing }, () => submit(finisher, answerAtMs)));
  const unfinishedIds = await Promise.all(Array.from({ length: unfinished }, () => submit(runner, answerAtMs + 600_000)));
  await until("all run", beginWithinMs, async () => (await viewsOf(first)).filter(({ state }) => state === "running").length === finishing + unfinished);
  await first.close();
  await processes.broker.kill();
  await untilTime(answerAtMs + 3_000);
  const before = await containersOf(agent.agentId);
  await agent.kill();

  const broker = await processes.broker.restart();
  await using fleet = createFleet({ url: broker.url, transport: "http" });
  const restartedMs = performance.now();
  await agent.restart();
  await until("all have a record", 60_000, async () => (await viewsOf(fleet)).filter(({ state }) => state === "finished").length === finishing + unfinished);
  const toldMs = performance.now() - restartedMs;
  const left = (await containersOf(agent.agentId)).filter((id) => before.includes(id));

  const views = await viewsOf(fleet);
  const outcomes = (ids: readonly string[]) => tally(views.filter((view) => ids.includes(view.state === "finished" ? view.record.invocationId : view.invocationId)).map(outcomeOf));
  const attempts = views.reduce((sum, view) => sum + (view.state === "finished" ? view.record.attempt : 0), 0);
  const answers = await Promise.all(finishingIds.map(async (id) => (await fleet.invocation(id).text()) === String(answerAtMs)));
  const figures = {
    "records": views.length,
    "of those that had finished": JSON.stringify(outcomes(finishingIds)),
    "  with their answers": answers.filter(Boolean).length,
    "of those that had not": JSON.stringify(outcomes(unfinishedIds)),
    "attempts of all": attempts,
    "containers of those that had not, at the death and after it": `${before.length}, ${left.length}`,
    "from the agent's restart to the last record": `${Math.round(toldMs)} ms`,
  };
  const isRight = views.length === finishing + unfinished && outcomes(finishingIds)["succeeded"] === finishing && outcomes(unfinishedIds)["lost agent_lost"] === unfinished && answers.every(Boolean) && attempts === finishing + unfinished && before.length > 0 && left.length === 0;
  return { figures, isRight };
}

async function viewsOf(fleet: Fleet): Promise<InvocationView[]> {
  const views: InvocationView[] = [];
  for (const state of ["pending", "finished"] as const) for await (const view of fleet.invocations.each({ state })) views.push(view);
  return views;
}

function outcomeOf(view: InvocationView): string {
  if (view.state !== "finished") return view.state;
  const { outcome, error } = view.record.result;
  return error === undefined ? outcome : `${outcome} ${error.reason}`;
}

/** Those in which a run goes on. */
async function containersOf(agentId: string): Promise<string[]> {
  const containers = await docker.listContainers({ filters: { label: [`longshore.agent=${agentId}`] } });
  return containers.filter(({ Labels }) => Labels["longshore.revision"]?.startsWith(`${runner}-r`)).map(({ Id }) => Id);
}
