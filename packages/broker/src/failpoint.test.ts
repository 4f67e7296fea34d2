import { afterEach, describe, expect, it, vi } from "vitest";
import { resolveBrokerConfig } from "./config.ts";
import { armFailpoint, passFailpoint } from "./failpoint.ts";

const kill = vi.spyOn(process, "kill").mockImplementation(() => true);

afterEach(() => {
  armFailpoint(undefined);
  kill.mockClear();
});

describe("a failpoint", () => {
  it("ends the process as if killed, the first time that it comes there", () => {
    armFailpoint("after_puback");
    passFailpoint("after_202");
    expect(kill).not.toHaveBeenCalled();
    passFailpoint("after_puback");
    expect(kill.mock.calls).toEqual([[process.pid, "SIGKILL"]]);
  });

  it("ends it the Nth time, where a number stands with it", () => {
    armFailpoint("after_claim:3");
    for (const passed of [0, 0, 1]) {
      passFailpoint("after_claim");
      expect(kill).toHaveBeenCalledTimes(passed);
    }
  });

  it("is none where no setting names one", () => {
    armFailpoint(undefined);
    passFailpoint("after_puback");
    expect(kill).not.toHaveBeenCalled();
  });

  it("is refused where there is none of that name", () => {
    expect(resolveBrokerConfig({ environment: { LONGSHORE_BROKER_FAILPOINT: "after_202:2" } }).failpoint).toBe("after_202:2");
    for (const failpoint of ["after_put", "after_start_record", "after_puback:0", "after_puback:", "after_puback:1x"]) {
      expect(() => resolveBrokerConfig({ flags: { failpoint } }), failpoint).toThrow(expect.objectContaining({ reason: "bad_schema", field: "failpoint" }));
    }
  });
});
