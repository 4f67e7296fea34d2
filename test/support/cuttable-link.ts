import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A TCP port of loopback that leads to another, until it is cut. */
export class CuttableLink implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Of these, those of who connected. */
  readonly #near = new Set<Socket>();
  #isCut = false;
  #isOneWay = false;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** `near`: the address of this machine that it is at. */
  static async to(port: number, near = "127.0.0.1"): Promise<CuttableLink> {
    const server = createServer();
    const link = new CuttableLink(server);
    server.on("connection", (near) => link.#join(near, port));
    server.listen(0, near);
    await once(server, "listening");
    return link;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** `host:port`. */
  get address(): string {
    return `${(this.#server.address() as AddressInfo).address}:${this.port}`;
  }

  /** Breaks what is connected, and whatever connects, until healed. */
  cut(): void {
    this.#isCut = true;
    for (const socket of this.#sockets) socket.destroy();
  }

  heal(): void {
    this.#isCut = false;
    this.#isOneWay = false;
  }

  /** What the near side sends waits, and is lost when the link is cut; what is sent to it arrives. */
  oneWay(): void {
    this.#isOneWay = true;
    for (const socket of this.#near) socket.unpipe().pause();
  }

  /** Nothing passes and nothing breaks: what is sent waits, and is lost when the link is cut. */
  blackHole(): void {
    for (const socket of this.#sockets) socket.unpipe().pause();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, "close");
  }

  #join(near: Socket, port: number): void {
    if (this.#isCut) {
      near.destroy();
      return;
    }
    const far = connect(port, "127.0.0.1");
    for (const [socket, other] of [[near, far], [far, near]] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        this.#sockets.delete(socket);
        this.#near.delete(socket);
        other.destroy();
      });
      if (socket === far || !this.#isOneWay) socket.pipe(other);
    }
    this.#near.add(near);
  }
}
