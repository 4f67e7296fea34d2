import type { Definition } from "./family.ts";

const counter = (name: string, help: string, labels: readonly string[] = []): Definition => ({ name, type: "counter", help, labels });
const gauge = (name: string, help: string, labels: readonly string[] = []): Definition => ({ name, type: "gauge", help, labels });
const histogram = (name: string, help: string): Definition => ({ name, type: "histogram", help, labels: [] });

/** What a broker says of itself: `GET /metrics`. Labels have few values: outcomes, states, names of our own events. */
export const brokerMetrics = {
  ready: gauge("longshore_broker_ready", "Whether this broker should get calls (as /readyz says)"),
  info: gauge("longshore_broker_info", "Always 1; the version of this broker", ["version"]),
  invocations: counter("longshore_invocations_total", "Invocations that ended at this broker, by outcome", ["outcome"]),
  starts: counter("longshore_starts_total", "Invocations by how their instance came to be", ["start"]),
  duration: histogram("longshore_invocation_duration_seconds", "From arrival to the end of the answer, of invocations whose caller waited"),
  placement: histogram("longshore_invocation_placement_seconds", "From arrival to the order's sending, waiting for a slot included"),
  start: histogram("longshore_invocation_start_seconds", "At the agent: waiting for an instance, its start included"),
  run: histogram("longshore_invocation_run_seconds", "At the agent: from delivery to the instance to the end of the answer"),
  http: histogram("longshore_http_request_duration_seconds", "HTTP requests from their head to the end of the answer"),
  exchange: histogram("longshore_socket_exchange_duration_seconds", "Invocations and submissions over WebSocket from their open frame to their last"),
  responses: counter("longshore_http_responses_total", "HTTP answers by the class of their status", ["status"]),
  waiting: gauge("longshore_invocations_waiting", "Invocations in the backlog"),
  running: gauge("longshore_invocations_running", "Invocations sent to an agent"),
  queued: gauge("longshore_queue_invocations", "Accepted invocations in this broker's partitions"),
  sent: gauge("longshore_queue_sent", "Accepted invocations that this broker has sent to agents"),
  queueEnded: counter("longshore_queue_ended_total", "Accepted invocations whose record this broker stored, by outcome", ["outcome"]),
  attempts: counter("longshore_queue_attempts_total", "Attempts of the accepted invocations that ended"),
  deadLetters: counter("longshore_queue_dead_letters_total", "Accepted invocations that left a dead letter"),
  sockets: gauge("longshore_sockets", "Open WebSocket connections"),
  agents: gauge("longshore_agents", "Agents by state", ["state"]),
  shortOfDisk: gauge("longshore_agents_short_of_disk", "Agents in reach that pull no image because their disk is full"),
  busConnected: gauge("longshore_bus_connected", "Whether both connections to the bus stand"),
  busEvents: counter("longshore_bus_events_total", "What the bus dropped or counted", ["event"]),
  durability: gauge("longshore_bus_durability", "Whether the bus syncs every write to disk: 1 for the state that holds", ["state"]),
  recordsUnreadable: counter("longshore_records_unreadable_total", "Terminal records that a listing left out because they cannot be read"),
  historyPoints: gauge("longshore_history_points", "Functions by steps by brokers that this broker holds of the history"),
  historyLeftOut: counter("longshore_history_left_out_total", "Invocations left out of the history because too many functions ended some within one step"),
  historyUnreadable: counter("longshore_history_unreadable_total", "Summaries of the history that cannot be read"),
  spans: counter("longshore_trace_spans_total", "Spans by what became of them; what was added and is neither exported nor failed waits, or was dropped", ["state"]),
  memory: gauge("process_resident_memory_bytes", "Resident memory size in bytes"),
  cpu: counter("process_cpu_seconds_total", "Total user and system processor time spent in seconds"),
  begun: gauge("process_start_time_seconds", "Start time of the process since unix epoch in seconds"),
} as const satisfies Record<string, Definition>;

const ofAgent = ["site", "agent"] as const;

/** What agents say of themselves in their heartbeats, given by a broker: `GET /metrics/agents`. */
export const agentMetrics = {
  leftOut: gauge("longshore_agents_left_out", "Agents in reach that are not on this page: it holds 10,000"),
  state: gauge("longshore_agent_state", "Always 1; the state of the agent", [...ofAgent, "state"]),
  cordoned: gauge("longshore_agent_cordoned", "Whether an operator took the agent out of placement", ofAgent),
  heardAt: gauge("longshore_agent_last_heartbeat_timestamp_seconds", "When the agent was last heard", ofAgent),
  memory: gauge("longshore_agent_memory_bytes", "Memory that instances may have", ofAgent),
  memoryFree: gauge("longshore_agent_memory_free_bytes", "Memory that is promised to no instance", ofAgent),
  instancesMax: gauge("longshore_agent_instances_limit", "Instances that the agent may have", ofAgent),
  instancesFree: gauge("longshore_agent_instances_free", "Instances that it could begin now", ofAgent),
  idle: gauge("longshore_agent_instances_idle", "Instances that wait for an invocation", ofAgent),
  held: gauge("longshore_agent_instances_held", "Instances whose program has not begun", ofAgent),
  running: gauge("longshore_agent_invocations_running", "Invocations under way", ofAgent),
  images: gauge("longshore_agent_images", "Revisions whose image is there", ofAgent),
  disk: gauge("longshore_agent_disk_bytes", "Size of the disk that images are on", ofAgent),
  diskFree: gauge("longshore_agent_disk_free_bytes", "What is free of it", ofAgent),
  diskImages: gauge("longshore_agent_disk_images_bytes", "What the images take that the agent pulled", ofAgent),
  diskShort: gauge("longshore_agent_disk_short", "Whether the agent pulls no image because its disk is full", ofAgent),
} as const satisfies Record<string, Definition>;
