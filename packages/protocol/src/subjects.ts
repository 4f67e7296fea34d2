import type { AgentId, BrokerId, ExchangeToken, SiteId } from "./names.ts";

/**
 * Every subject of the fleet account, publisher's and subscriber's form together (the core account has JetStream's own).
 *
 * An agent may subscribe only to `agent.<siteId>.<agentId>.>` and publish only under `site.<siteId>.<agentId>.>`: the subject
 * proves who speaks. Arguments are branded ids, so that nothing unchecked can become part of a subject.
 */
const prefix = "longshore.v1";

/** An agent, as subjects name it. */
export interface AgentAddress {
  readonly siteId: SiteId;
  readonly agentId: AgentId;
}

const toAgent = ({ siteId, agentId }: AgentAddress) => `${prefix}.agent.${siteId}.${agentId}`;
const fromAgent = ({ siteId, agentId }: AgentAddress) => `${prefix}.site.${siteId}.${agentId}`;

/** All that an agent subscribes to. */
export const agentInbound = (agent: AgentAddress) => `${toAgent(agent)}.>`;

/** Broker → agent: a run order (an `open` frame). The exchange is named by broker and token. */
export const runSubject = (agent: AgentAddress, brokerId: BrokerId, token: ExchangeToken) => `${toAgent(agent)}.run.${brokerId}.${token}`;
/** Broker → agent: an ask (an `open` frame): prepare, inspect an image, drain … */
export const askSubject = (agent: AgentAddress, brokerId: BrokerId, token: ExchangeToken) => `${toAgent(agent)}.ask.${brokerId}.${token}`;
/** Broker → agent: further frames of an exchange under way: data, end, credit, cancel. */
export const exchangeSubject = (agent: AgentAddress, brokerId: BrokerId, token: ExchangeToken) =>
  `${toAgent(agent)}.exchange.${brokerId}.${token}`;
/** NATS server → agent, as reply field of an agent's own publication: a 503 here says that no broker listens for that reply any more. */
export const undeliveredSubject = (agent: AgentAddress, brokerId: BrokerId, token: ExchangeToken) =>
  `${toAgent(agent)}.undelivered.${brokerId}.${token}`;

/** Agent → broker: frames of an exchange: answer, data, end, credit, error. */
export const replySubject = (agent: AgentAddress, brokerId: BrokerId, token: ExchangeToken) => `${fromAgent(agent)}.reply.${brokerId}.${token}`;
/** Agent → all brokers: state and capacity, every few seconds and at each change that matters. */
export const heartbeatSubject = (agent: AgentAddress) => `${fromAgent(agent)}.heartbeat`;
/** Agent → all brokers: who it is: facts, images, protocol. At connect, at change, and when a broker asks. */
export const introductionSubject = (agent: AgentAddress) => `${fromAgent(agent)}.introduction`;
/** Agent → any one broker (queue group): the outcome of an invocation whose broker is gone. */
export const orphanSubject = (agent: AgentAddress) => `${fromAgent(agent)}.orphan`;
/** Agent → any one broker (queue group): what became of an attempt at an accepted invocation, until a broker settles it. */
export const outcomeSubject = (agent: AgentAddress) => `${fromAgent(agent)}.outcome`;

/** What a broker subscribes to. */
export const brokerSubscriptions = {
  replies: (brokerId: BrokerId) => `${prefix}.site.*.*.reply.${brokerId}.>`,
  heartbeats: `${prefix}.site.*.*.heartbeat`,
  introductions: `${prefix}.site.*.*.introduction`,
  orphans: `${prefix}.site.*.*.orphan`,
  outcomes: `${prefix}.site.*.*.outcome`,
} as const;
/** Queue group in which brokers share orphans and outcomes. */
export const brokerQueueGroup = "brokers";

/** The permissions of an agent's credential (identity.md: scoped signing key; `{{…}}` is filled in by the server). */
export const agentPermissionTemplate = {
  subscribe: `${prefix}.agent.{{tag(site)}}.{{name()}}.>`,
  publish: `${prefix}.site.{{tag(site)}}.{{name()}}.>`,
  /** Queue groups on its own subjects are refused: a duplicate in one would take messages without a trace. */
  subscribeDeny: `${prefix}.agent.> >`,
} as const;

/** The permissions of a broker's credential in the fleet account. */
export const brokerPermissions = { publish: `${prefix}.agent.>`, subscribe: `${prefix}.site.>` } as const;

/** An agent's subject taken apart; undefined when it is not one. */
export interface AgentSubject extends AgentAddress {
  /** `run`, `ask`, `exchange`, `undelivered`; from an agent `reply`, `heartbeat`, … */
  readonly verb: string;
  readonly brokerId: BrokerId | undefined;
  readonly token: ExchangeToken | undefined;
}

/**
 * Takes a subject apart. The bus has already matched it against a subscription built here, and every part of it was checked
 * when it was built, so the parts are taken as the ids they are.
 */
export function parseAgentSubject(subject: string): AgentSubject | undefined {
  const parts = subject.split(".");
  const [root, version, side, siteId, agentId, verb, brokerId, token] = parts;
  if (`${root}.${version}` !== prefix || (side !== "agent" && side !== "site") || verb === undefined) return undefined;
  return {
    siteId: siteId as SiteId,
    agentId: agentId as AgentId,
    verb,
    brokerId: brokerId as BrokerId | undefined,
    token: token as ExchangeToken | undefined,
  };
}
