import type { AgentAddress, Frame } from "@longshore/protocol";
import type { AgentBusHandlers, AgentExchange } from "../../packages/agent/src/bus/bus.ts";
import type { Bus, Exchange } from "../../packages/broker/src/bus/bus.ts";

/** The agent's end: answers every order with its own body, at once and whole. */
export const echo: AgentBusHandlers = {
  open(_verb, frame, exchange) {
    exchange.send({ kind: "answer", head: { complete: true, echoed: frame.head }, body: frame.body });
    return { frame: () => undefined, brokerGone: () => undefined };
  },
  connectionChanged: () => undefined,
};

/** The agent's end in a test's own hands: each order is kept until the test does something with it. */
export class HeldOrders implements AgentBusHandlers {
  readonly orders: { frame: Frame & { kind: "open" }; exchange: AgentExchange; further: Frame[]; goneCount: number }[] = [];
  readonly #waiting: (() => void)[] = [];

  open(_verb: "run" | "ask", frame: Frame & { kind: "open" }, exchange: AgentExchange) {
    const order = { frame, exchange, further: [] as Frame[], goneCount: 0 };
    this.orders.push(order);
    this.#tell();
    return {
      frame: (further: Frame) => {
        order.further.push(further);
        this.#tell();
      },
      brokerGone: () => {
        order.goneCount += 1;
        this.#tell();
      },
    };
  }

  connectionChanged(): void {
    this.#tell();
  }

  /** Resolves once a condition on what came holds. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #tell(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** The broker's end: what came back, and how it ended. */
export interface Answered {
  readonly frames: readonly Frame[];
  readonly failed: "no_responders" | "bus_down" | "bad_frame" | undefined;
}

/** Opens an exchange and resolves with everything that came, once a terminal frame or a failure did. */
export function ask(bus: Bus, agent: AgentAddress, head: unknown = {}, body: Uint8Array = new Uint8Array(0), opened?: (exchange: Exchange) => void): Promise<Answered> {
  return new Promise((resolve) => {
    const frames: Frame[] = [];
    const finish = (failed: Answered["failed"]) => {
      exchange.close();
      resolve({ frames, failed });
    };
    const exchange = bus.open(agent, "run", head, body, {
      frame(frame) {
        frames.push(frame);
        const isComplete = frame.kind === "answer" && (frame.head as { complete?: boolean }).complete === true;
        if (isComplete || frame.kind === "end" || frame.kind === "error") finish(undefined);
      },
      failed: finish,
    });
    opened?.(exchange);
  });
}
