/** The broker: from request to agent. The CLI starts one in its own process. */
export { type Broker, type BrokerDependencies, createBroker, type RunningBroker } from "./broker.ts";
export { type BrokerConfig, brokerConfigSchema, isLoopbackHost, resolveBrokerConfig, splitAddress } from "./config.ts";
export { createLog } from "./log.ts";
export { readSection, type SettingsSection } from "./settings-file.ts";
