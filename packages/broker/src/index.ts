/** The broker: from request to agent. The CLI starts one in its own process. */
export { backUp, type BackUpOptions, type BackupSummary } from "./backup/back-up.ts";
export { restore, type RestoreOptions, type RestoreSummary } from "./backup/restore.ts";
export { type Broker, type BrokerDependencies, createBroker, type RunningBroker } from "./broker.ts";
export { type BrokerConfig, brokerConfigSchema, isLoopbackHost, resolveBrokerConfig, splitAddress } from "./config.ts";
export { createLog } from "./log.ts";
export { readSection, type SettingsSection } from "./settings-file.ts";
