import { createServer, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';

/** A shop's own server, on which the pictures lie that existing code names by their addresses. */
export class FileHost {
  readonly asked: string[] = [];
  private readonly files = new Map<string, (response: ServerResponse) => void>();
  private server: Server | undefined;

  static async start(): Promise<FileHost> {
    const host = new FileHost();
    const server = createServer(({ url: path = '' }, response) => {
      host.asked.push(path);
      const answer = host.files.get(path);
      if (answer === undefined) response.writeHead(404).end();
      else answer(response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    host.server = server;
    return host;
  }

  get host(): string {
    return `127.0.0.1:${(this.server?.address() as AddressInfo).port}`;
  }

  url(path: string): string {
    return `http://${this.host}${path}`;
  }

  file(path: string, bytes: Uint8Array, type = 'image/png'): string {
    return this.answer(path, (response) => response.writeHead(200, { 'content-type': type }).end(bytes));
  }

  redirect(path: string, location: string): string {
    return this.answer(path, (response) => response.writeHead(302, { location }).end());
  }

  answer(path: string, answer: (response: ServerResponse) => void): string {
    this.files.set(path, answer);
    return this.url(path);
  }

  async stop(): Promise<void> {
    this.server?.closeAllConnections();
    await new Promise((resolve) => this.server?.close(resolve));
  }
}
