/** A part of a fleet that runs in this process. */
export interface RunningPart {
  /** How long its settings leave to what runs when it is told to end. */
  readonly drainMs: number;
  /** Refuses new work, finishes what runs within that time, then closes. */
  readonly drain: (deadlineMs: number) => Promise<void>;
  /** Ends at once. Idempotent. */
  readonly close: () => Promise<void>;
}

export interface RunningBroker extends RunningPart {
  /** Where it listens, as a URL that this host reaches. */
  readonly url: string;
  /** The API key that was made with the fleet; absent at later starts. */
  readonly apiKey: string | undefined;
  /** False on loopback, where callers are trusted without one. */
  readonly needsKey: boolean;
  /** File of the authority (PEM) that its certificate is signed by; absent without TLS. */
  readonly caFile: string | undefined;
}

export interface RunningAgent extends RunningPart {
  readonly agentId: string;
  readonly siteId: string;
}

export interface BrokerRequest {
  /** Default: that of its settings. */
  readonly dataFolder: string | undefined;
  /** `host:port`; default: the broker's own. */
  readonly listen: string | undefined;
  /** Speak TLS with a certificate of one's own making. */
  readonly tls: boolean;
  /** Listen beyond loopback without TLS, knowingly. */
  readonly insecure: boolean;
  readonly logLevel: string | undefined;
  /** File with its settings in a section `broker`; default: `longshore.yaml` where there is one. */
  readonly configFile: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
}

export interface AgentRequest {
  /** Default: that of its settings. */
  readonly dataFolder: string | undefined;
  readonly logLevel: string | undefined;
  /** Memory that its instances may have together; default: the agent's own. */
  readonly memoryBytes?: number;
  /** File with its settings in a section `agent`; default: `longshore.yaml` where there is one. */
  readonly configFile: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
}

/** Which fleet to back up, or to restore into. */
export interface StateRequest {
  /** Default: that of the broker's settings. */
  readonly dataFolder: string | undefined;
  /** File with the broker's settings in a section `broker`; default: `longshore.yaml` where there is one. */
  readonly configFile: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
}

/** What is in a backup. */
export interface BackupSummary {
  readonly file: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly streams: number;
  readonly messages: number;
  readonly sizeBytes: number;
  /** A key file of the operator's that functions' secrets are sealed with; it is not in the backup. */
  readonly sealKeyFile: string | undefined;
}

/** What was restored. */
export interface RestoreSummary {
  readonly file: string;
  /** ISO 8601: the fleet is as it was then. */
  readonly createdAt: string;
  readonly streams: number;
  readonly messages: number;
  /** Messages whose life was over by now. */
  readonly expired: number;
  /** Where what was in the data folder before is now. */
  readonly replacedFolder: string | undefined;
  /** Agents' credentials do not hold on this bus. */
  readonly agentsMustJoinAgain: boolean;
}

/** What this host was admitted as. */
export interface JoinedHost {
  readonly agentId: string;
  readonly siteId: string;
}

/** How commands start brokers and agents in this process. Loaded only by the commands that do. */
export interface LocalParts {
  /** Starts a broker, with a bus of its own unless it is configured for another; resolves when it is ready. */
  readonly startBroker: (request: BrokerRequest) => Promise<RunningBroker>;
  /** As what a data folder's agent was admitted; undefined when it never was. */
  readonly joinedAs: (request: AgentRequest) => Promise<JoinedHost | undefined>;
  /** Trades a join token for a credential, kept in the agent's data folder. */
  readonly joinHost: (token: string, request: AgentRequest) => Promise<JoinedHost>;
  /** Runs the agent that joined from that folder; resolves when it is registered. */
  readonly startAgent: (request: AgentRequest) => Promise<RunningAgent>;
  /** Writes a fleet's state into a file that is not there yet; the fleet may run. */
  readonly backUp: (file: string, request: StateRequest) => Promise<BackupSummary>;
  /** Makes a fleet anew from such a file; with `replace` in the place of what is there. */
  readonly restore: (file: string, replace: boolean, request: StateRequest) => Promise<RestoreSummary>;
}
