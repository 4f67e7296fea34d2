import type { FunctionDocument } from "@longshore/protocol";
import type Docker from "dockerode";
import { docker } from "./agent-engine.ts";
import type { TestFleet } from "./fleet.ts";

/** Deploys a function, has something done with it by its name, and removes it. */
export async function whileDeployed<T>({ fleet }: TestFleet, document: FunctionDocument, act: (name: string) => Promise<T>): Promise<T> {
  await fleet.deploy(document);
  try {
    return await act(document.name);
  } finally {
    await fleet.remove(document.name);
  }
}

/** A running container of a function's first revision at the fleet's first agent. */
export async function containerOf({ agents }: TestFleet, name: string): Promise<Docker.Container> {
  const [listed] = await docker.listContainers({ filters: { label: [`longshore.agent=${agents[0]?.agentId}`, `longshore.revision=${name}-r1`] } });
  if (listed === undefined) throw new Error(`Function "${name}" has no running container`);
  return docker.getContainer(listed.Id);
}

/** How many containers a function's revision has at the fleet's first agent. */
export async function countContainers({ agents }: TestFleet, revisionId: string): Promise<number> {
  return (await docker.listContainers({ filters: { label: [`longshore.agent=${agents[0]?.agentId}`, `longshore.revision=${revisionId}`] } })).length;
}

/** The lines of a log, without whose they are. */
export async function linesOf(lines: AsyncIterable<{ readonly line: string }>): Promise<string[]> {
  const all: string[] = [];
  for await (const { line } of lines) all.push(line);
  return all;
}
