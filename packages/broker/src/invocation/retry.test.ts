import { LongshoreError, type Phase, type Reason } from "@longshore/protocol";
import { describe, expect, it } from "vitest";
import { afterFailure, type Failure, type Next, type Situation } from "./retry.ts";

const fresh: Situation = {
  sends: 1,
  failedSends: 1,
  limits: { maxSends: 50, maxFailedSends: 3 },
  canReplay: true,
  hasAnswered: false,
  isIdempotent: false,
  sentRevision: false,
};

const refused = (reason: Reason, phase?: Phase): Failure => ({ kind: "refused", error: new LongshoreError(reason, "no", { phase }) });

describe("after a failed attempt", () => {
  it.each<[string, Failure, Partial<Situation>, Next]>([
    ["nobody listened", { kind: "no_responders" }, {}, "other_agent"],
    ["nobody listened, for the third time", { kind: "no_responders" }, { failedSends: 3 }, "fail"],
    ["nobody listened, and part of the request is gone", { kind: "no_responders" }, { canReplay: false }, "fail"],

    ["lost", { kind: "lost" }, {}, "lost"],
    ["lost, idempotent", { kind: "lost" }, { isIdempotent: true }, "other_agent"],
    ["lost, idempotent, an answer was seen", { kind: "lost" }, { isIdempotent: true, hasAnswered: true }, "lost"],
    ["lost, idempotent, part of the request is gone", { kind: "lost" }, { isIdempotent: true, canReplay: false }, "lost"],
    ["lost, idempotent, for the third time", { kind: "lost" }, { isIdempotent: true, failedSends: 3 }, "lost"],
    ["an answer that cannot be read", { kind: "bad_frame" }, {}, "lost"],
    ["an answer that cannot be read, idempotent", { kind: "bad_frame" }, { isIdempotent: true }, "other_agent"],
    ["the bus is gone", { kind: "bus_down" }, {}, "lost"],
    ["the bus is gone, idempotent: there is nothing to send over", { kind: "bus_down" }, { isIdempotent: true }, "lost"],

    ["busy", refused("agent_busy", "admission"), {}, "other_agent"],
    ["busy, sent often enough", refused("agent_busy", "admission"), { sends: 50 }, "fail"],
    ["busy, part of the request is gone", refused("agent_busy", "admission"), { canReplay: false }, "fail"],
    ["draining", refused("agent_draining", "admission"), {}, "other_agent"],
    ["its engine is ill", refused("engine_unavailable", "startup"), {}, "other_agent"],
    ["its registry is not in reach", refused("image_pull_failed", "startup"), {}, "other_agent"],
    ["its disk is full", refused("disk_full", "startup"), {}, "other_agent"],
    ["it has no such image", refused("image_not_found", "startup"), {}, "other_agent"],

    ["revision unknown", refused("revision_unknown", "admission"), {}, "send_revision"],
    ["revision unknown, though it was sent along", refused("revision_unknown", "admission"), { sentRevision: true }, "other_agent"],

    ["the program does not start: it would nowhere", refused("instance_start_failed", "startup"), {}, "fail"],
    ["the deadline passed", refused("deadline_passed", "startup"), {}, "fail"],

    ["an error after it began", refused("agent_busy", "execution"), {}, "fail"],
    ["an error after it began, idempotent", refused("unexpected", "execution"), { isIdempotent: true }, "fail"],
    ["an error of an unknown phase", refused("agent_busy"), {}, "fail"],
    ["an error after an answer was seen", refused("agent_busy", "admission"), { hasAnswered: true }, "fail"],
  ])("%s", (_, failure, differences, next) => {
    expect(afterFailure(failure, { ...fresh, ...differences })).toBe(next);
  });
});
