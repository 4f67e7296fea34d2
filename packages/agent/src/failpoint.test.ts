import { afterEach, describe, expect, it, vi } from "vitest";
import { resolveAgentConfig } from "./config.ts";
import { armFailpoint, passFailpoint } from "./failpoint.ts";

const kill = vi.spyOn(process, "kill").mockImplementation(() => true);

afterEach(() => {
  armFailpoint(undefined);
  kill.mockClear();
});

describe("a failpoint", () => {
  it("ends the process as if killed, the first time that it comes there", () => {
    armFailpoint("after_start_record");
    passFailpoint("after_outbox_fsync");
    expect(kill).not.toHaveBeenCalled();
    passFailpoint("after_start_record");
    expect(kill.mock.calls).toEqual([[process.pid, "SIGKILL"]]);
  });

  it("ends it the Nth time, where a number stands with it", () => {
    armFailpoint("after_container_exit:3");
    for (const passed of [0, 0, 1]) {
      passFailpoint("after_container_exit");
      expect(kill).toHaveBeenCalledTimes(passed);
    }
  });

  it("is none where no setting names one", () => {
    armFailpoint(undefined);
    passFailpoint("after_start_record");
    expect(kill).not.toHaveBeenCalled();
  });

  it("is refused where there is none of that name", () => {
    expect(resolveAgentConfig({ environment: { LONGSHORE_AGENT_FAILPOINT: "after_outbox_fsync:2" } }).failpoint).toBe("after_outbox_fsync:2");
    for (const failpoint of ["after_start", "after_puback", "after_start_record:0", "after_start_record:", "after_start_record:1x"]) {
      expect(() => resolveAgentConfig({ flags: { failpoint } }), failpoint).toThrow(expect.objectContaining({ reason: "bad_schema", field: "failpoint" }));
    }
  });
});
