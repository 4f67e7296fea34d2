import { describe, expect, it } from "vitest";
import type { Attachment, AttachmentHandlers } from "../engine/engine.ts";
import { DeferredAttachment } from "./deferred-attachment.ts";

function realOne(hasRoom = true) {
  const told: string[] = [];
  const real: Attachment = {
    write: (bytes) => (told.push(`write ${Buffer.from(bytes).toString()}`), hasRoom),
    endInput: () => void told.push("end"),
    listen: () => void told.push("listen"),
    pause: () => void told.push("pause"),
    resume: () => void told.push("resume"),
    close: () => void told.push("close"),
  };
  return { real, told };
}

function handlers(onDrain: () => void): AttachmentHandlers {
  return { onStdout: () => undefined, onStderr: () => undefined, onDrain, onEnd: () => undefined };
}

describe("an attachment to a container that is still being made", () => {
  it("keeps what it is asked until the container is there, and then says that there is room", () => {
    const { real, told } = realOne();
    const deferred = new DeferredAttachment();
    deferred.listen(handlers(() => told.push("drained")));
    expect(deferred.write(Buffer.from("a"))).toBe(false);
    deferred.write(Buffer.from("b"));
    deferred.endInput();
    deferred.pause();
    deferred.resolve(real);
    expect(told).toEqual(["write a", "write b", "end", "pause", "listen", "drained"]);
    deferred.resume();
    deferred.close();
    expect(told.slice(-2)).toEqual(["resume", "close"]);
  });

  it("says that there is room when the container does, where there was none at first", () => {
    const { real, told } = realOne(false);
    const deferred = new DeferredAttachment();
    deferred.listen(handlers(() => told.push("drained")));
    deferred.write(Buffer.from("a"));
    deferred.resolve(real);
    expect(told).toEqual(["write a", "listen"]);
    expect(deferred.write(Buffer.from("b"))).toBe(false);
  });

  it("closes what comes after it was closed itself", () => {
    const { real, told } = realOne();
    const deferred = new DeferredAttachment();
    deferred.write(Buffer.from("a"));
    deferred.close();
    deferred.resolve(real);
    expect(told).toEqual(["close"]);
  });
});
