/**
 * The protocol between broker and agent, as one integer. It grows by one whenever a message gains something that the
 * other side must know of; what a number added is written here, with its date.
 *
 * - 1 (2026-11-25): the first: run orders, asks, heartbeats, framed bodies with credit.
 * - 2 (2026-11-25): a function's `runtime`, which an agent of 1 would not heed and is not trusted with; an image's `volumes` and `faults`.
 * - 3 (2026-11-28): attempts at accepted invocations (`accepted` of a run order, the outcome subject, the asks `settle`, `confirm` and `holdings`), which an agent of 2
 *   would run like any other, and forget.
 * - 4 (2026-11-28): payloads of accepted invocations in parts (`more` of their run orders), which an agent of 3 refuses, and answers of theirs that are fetched
 *   (`bodyFollows` of an outcome, the ask `answer`).
 */
export const protocolVersion = 4;

/** From this protocol on an agent takes attempts at accepted invocations. */
export const acceptedProtocolVersion = 3;

/** From this protocol on an agent takes accepted invocations whose payload comes in parts. */
export const largeBodyProtocolVersion = 4;

/** From this protocol on an agent makes containers with the runtime that a function names. */
export const runtimeProtocolVersion = 2;

/** The oldest protocol a broker still accepts from an agent. Older ones are shown as `refused`, and get no work. */
export const oldestProtocolVersion = 1;
