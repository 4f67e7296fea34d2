export { type Agent, type AgentDependencies, createAgent } from "./agent.ts";
export { type AgentConfig, resolveAgentConfig } from "./config.ts";
export { type AgentCredential, loadCredential } from "./join/credential.ts";
export { join, type JoinOptions } from "./join/join.ts";
export { createLog, type Logger } from "./log.ts";
