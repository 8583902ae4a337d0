import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { type FakeFal } from '../../fakes/fal/fake-fal.js';

/** Requests of the program to the vendor, by what they are for. */
export type VendorCall = 'submit' | 'status' | 'result' | 'file';

interface Hook {
  readonly call: VendorCall;
  /** `arrival`: before the vendor sees the request. `answer`: the vendor has answered, the program has not read it. */
  readonly at: 'arrival' | 'answer';
  readonly action: () => Promise<'pass' | 'drop'>;
}

/** Stands between the program and the fake vendor and can stop time at each message. */
export class VendorGate {
  private readonly hooks: Hook[] = [];
  private origin = '';

  private constructor(
    private readonly fake: FakeFal,
    private readonly server: Server,
  ) {}

  static async start(fake: FakeFal): Promise<VendorGate> {
    const server = createServer((request, response) => {
      gate.forward(request, response).catch(() => response.destroy());
    });
    const gate = new VendorGate(fake, server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    gate.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return gate;
  }

  get url(): string {
    return this.origin;
  }

  /** Once, at the next such message. */
  once(call: VendorCall, at: Hook['at'], action: Hook['action']): void {
    this.hooks.push({ call, at, action });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    let sent = Buffer.concat(chunks);
    // And back: files that were put there are named by this address.
    if (request.headers['content-type']?.includes('json') === true)
      sent = Buffer.from(sent.toString().replaceAll(this.origin, this.fake.origin));
    const call = callOf(request);
    if ((await this.reached(call, 'arrival')) === 'drop') return void response.destroy();
    const answer = await fetch(`${this.fake.origin}${request.url ?? '/'}`, {
      method: request.method ?? 'GET',
      headers: headersOf(request),
      ...(sent.length > 0 ? { body: sent } : {}),
    });
    let body: Buffer = Buffer.from(await answer.arrayBuffer());
    const type = answer.headers.get('content-type') ?? '';
    // The vendor names its own address in its answers: the way there leads through here as well.
    if (type.includes('json')) body = Buffer.from(body.toString().replaceAll(this.fake.origin, this.origin));
    if ((await this.reached(call, 'answer')) === 'drop') return void response.destroy();
    const headers = [...answer.headers].filter(
      ([name]) => name === 'content-type' || name.startsWith('x-fal'),
    );
    response.writeHead(answer.status, { ...Object.fromEntries(headers), 'content-length': body.byteLength });
    response.end(body);
  }

  private async reached(call: VendorCall | undefined, at: Hook['at']): Promise<'pass' | 'drop'> {
    const index = this.hooks.findIndex((hook) => hook.call === call && hook.at === at);
    const [hook] = index < 0 ? [] : this.hooks.splice(index, 1);
    return hook ? hook.action() : 'pass';
  }
}

function callOf({ method, url = '' }: IncomingMessage): VendorCall | undefined {
  const path = url.split('?')[0] ?? '';
  if (method === 'POST' && path.startsWith('/queue/')) return 'submit';
  if (/^\/queue\/.*\/status$/.test(path)) return 'status';
  if (/^\/queue\/.*\/requests\/[^/]+$/.test(path)) return 'result';
  return path.startsWith('/files/') ? 'file' : undefined;
}

function headersOf(request: IncomingMessage): Record<string, string> {
  const skipped = ['host', 'connection', 'content-length', 'accept-encoding', 'transfer-encoding', 'expect'];
  return Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      typeof value === 'string' && !skipped.includes(name) ? [[name, value]] : [],
    ),
  );
}
