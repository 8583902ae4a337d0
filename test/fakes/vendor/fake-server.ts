import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { sendJson } from '../fal/http-messages.js';

export type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void;

/** A server on 127.0.0.1 for a fake of a vendor. */
export class FakeServer {
  private constructor(
    private readonly server: Server,
    /** What the base URL of the vendor is set to. */
    readonly origin: string,
  ) {}

  static async start(handler: Handler): Promise<FakeServer> {
    let origin = 'http://127.0.0.1';
    const server = createServer((request, response) => {
      Promise.resolve(handler(request, response, new URL(request.url ?? '/', origin))).catch(
        (error: unknown) => {
          if (response.headersSent) response.destroy();
          else sendJson(response, 400, { detail: String(error) });
        },
      );
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new FakeServer(server, origin);
  }

  /** What `COLOPHON_OUTBOUND_ALLOWED_HOSTS` must hold. */
  get hostPort(): string {
    return new URL(this.origin).host;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
