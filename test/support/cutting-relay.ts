import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A wire between client and service that can break: both sides are reset as soon as an answer begins to arrive. */
export class CuttingRelay {
  /** Requests that make something. */
  posts = 0;
  private cuts = 0;

  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
  ) {}

  static async start(target: string): Promise<CuttingRelay> {
    const { hostname, port } = new URL(target);
    const sockets = new Set<Socket>();
    const server = createServer();
    const relay = new CuttingRelay(server, sockets);
    server.on('connection', (client) => relay.join(client, connect(Number(port), hostname)));
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    return relay;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** The next answer to a POST with a status below 300. */
  cutNext(): void {
    this.cuts = 1;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((closed) => this.server.close(closed));
  }

  private join(client: Socket, service: Socket): void {
    let isPost = false;
    client.on('data', (bytes) => {
      const [method] = /^[A-Z]+ /.exec(bytes.toString('latin1', 0, 10)) ?? [];
      if (method !== undefined) isPost = method === 'POST ';
      if (method === 'POST ') this.posts++;
      service.write(bytes);
    });
    service.on('data', (bytes) => {
      if (!isPost || this.cuts === 0 || !/^HTTP\/1\.1 2/.test(bytes.toString('latin1', 0, 12)))
        return client.write(bytes);
      this.cuts--;
      client.resetAndDestroy();
      service.resetAndDestroy();
    });
    for (const [side, other] of [
      [client, service],
      [service, client],
    ] as const) {
      this.sockets.add(side);
      side.on('error', () => other.destroy());
      side.on('close', () => {
        this.sockets.delete(side);
        other.destroy();
      });
    }
  }
}
