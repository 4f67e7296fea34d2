import type { Command } from "./command-line/command.ts";
import { agentLs } from "./commands/agent-ls.ts";
import { agentCordon, agentDrain, agentRevoke, agentUncordon } from "./commands/agent-placement.ts";
import { agentRun } from "./commands/agent-run.ts";
import { awsKeyCreate, awsKeyLs, awsKeyRm } from "./commands/aws-key.ts";
import { backup } from "./commands/backup.ts";
import { broker } from "./commands/broker.ts";
import { completionFor } from "./commands/completion.ts";
import { deadLetterBody, deadLetterLs, deadLetterRedrive, deadLetterRm, deadLetterShow } from "./commands/dead-letter.ts";
import { deploy } from "./commands/deploy.ts";
import { dev } from "./commands/dev.ts";
import { doctor } from "./commands/doctor.ts";
import { invocationCancel, invocationResult, invocationShow, invocationWait } from "./commands/invocation.ts";
import { invocationLs } from "./commands/invocation-ls.ts";
import { invoke } from "./commands/invoke.ts";
import { join } from "./commands/join.ts";
import { logs } from "./commands/logs.ts";
import { ls } from "./commands/ls.ts";
import { map } from "./commands/map.ts";
import { registryLogin, registryLogout, registryLs } from "./commands/registry.ts";
import { replay } from "./commands/replay.ts";
import { restore } from "./commands/restore.ts";
import { rm } from "./commands/rm.ts";
import { scheduleLs, schedulePause, scheduleResume, scheduleRm, scheduleRun, scheduleShow } from "./commands/schedule.ts";
import { scheduleSet } from "./commands/schedule-set.ts";
import { siteLs } from "./commands/site-ls.ts";
import { tokenCreate } from "./commands/token-create.ts";
import { top } from "./commands/top.ts";
import { trace } from "./commands/trace.ts";
import { up } from "./commands/up.ts";
import { version } from "./commands/version.ts";
import { watchInvocations } from "./commands/watch-invocations.ts";
import { webhookSecret } from "./commands/webhook-secret.ts";

/** Every command, in the order in which help shows them. */
export const commands: readonly Command[] = [
  up,
  deploy, dev, invoke, map, replay, ls, rm, logs,
  top, watchInvocations, trace,
  invocationLs, invocationShow, invocationWait, invocationResult, invocationCancel,
  deadLetterLs, deadLetterShow, deadLetterBody, deadLetterRedrive, deadLetterRm,
  scheduleSet, scheduleLs, scheduleShow, schedulePause, scheduleResume, scheduleRun, scheduleRm,
  tokenCreate, join,
  agentLs, agentCordon, agentUncordon, agentDrain, agentRevoke, agentRun,
  siteLs,
  registryLogin, registryLs, registryLogout,
  awsKeyCreate, awsKeyLs, awsKeyRm,
  webhookSecret,
  broker,
  backup, restore,
  doctor,
  version,
  completionFor(() => commands),
];
