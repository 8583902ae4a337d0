import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { BitString, fromBER } from 'asn1js';
import { ContentInfo, PKIStatusInfo, TimeStampReq, TimeStampResp } from 'pkijs';
import { AuthorityKeys, type KeyKind } from './authority-keys.js';
import { type Fault } from './fault-plan.js';
import { makeToken } from './make-token.js';

export interface FakeAuthorityOptions {
  readonly port?: number;
  readonly keyKind?: KeyKind;
  /** The authority's clock. */
  readonly now?: () => Date;
}

const MAX_REQUEST_BYTES = 65_536;
const HUGE_BYTES = 10_000_000;

/**
 * A time-stamping authority (RFC 3161 over HTTP) with keys of its own, made at start: root, intermediate, signing
 * certificate. Its tokens are good ones, accepted by `openssl ts -verify`, unless a fault is planned.
 */
export class FakeAuthority {
  private readonly plans: Fault[] = [];
  /** How many requests have come, whatever became of them. */
  requests = 0;

  private constructor(
    private readonly server: Server,
    readonly keys: AuthorityKeys,
    private readonly now: () => Date,
  ) {}

  static async start(options: FakeAuthorityOptions = {}): Promise<FakeAuthority> {
    const keys = await AuthorityKeys.create(options.keyKind);
    const server = createServer();
    const fake = new FakeAuthority(server, keys, options.now ?? (() => new Date()));
    server.on('request', (request, response) => void fake.serve(request, response));
    await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
    return fake;
  }

  get hostPort(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.hostPort}/timestamp`;
  }

  /** PEM of the root that verifiers trust. */
  get rootsPem(): string {
    return this.keys.rootPem;
  }

  /** Faults of the next requests, in order. */
  plan(...faults: readonly Fault[]): void {
    this.plans.push(...faults);
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  /** The response to a TimeStampReq, as an authority sends it. */
  async respond(query: Uint8Array, fault?: Fault): Promise<Uint8Array> {
    const request = TimeStampReq.fromBER(Uint8Array.from(query));
    if (fault === 'rejection') return responseOf(2);
    if (fault === 'no-token') return responseOf(0);
    const identity = await this.keys.identity(fault);
    const token = await makeToken(
      {
        messageImprint: request.messageImprint,
        ...(request.nonce && { nonce: request.nonce }),
        certReq: request.certReq ?? false,
        genTime: this.now(),
      },
      identity,
      fault,
    );
    return responseOf(fault === 'granted-with-mods' ? 1 : 0, token);
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = this.plans.shift();
    this.requests++;
    if (fault === 'slow') return;
    if (fault === 'down') {
      request.socket.destroy();
      return;
    }
    try {
      const query = await readQuery(request);
      send(response, fault, await this.answer(query, fault));
    } catch {
      response.writeHead(400).end();
    }
  }

  private async answer(query: Uint8Array, fault?: Fault): Promise<Uint8Array> {
    if (fault === 'garbage') return randomBytes(1000);
    if (fault === 'huge') return Buffer.alloc(HUGE_BYTES, 0x30);
    if (fault === 'html') return Buffer.from('<!doctype html><title>Under maintenance</title>');
    const good = await this.respond(query, fault);
    if (fault === 'truncated') return good.subarray(0, good.length / 2);
    return fault === 'trailing' ? Buffer.concat([good, Buffer.from([0])]) : good;
  }
}

async function readQuery(request: IncomingMessage): Promise<Buffer> {
  if (request.method !== 'POST' || request.headers['content-type'] !== 'application/timestamp-query') {
    throw new Error('not a time-stamp query');
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_REQUEST_BYTES) throw new Error('too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, fault: Fault | undefined, body: Uint8Array): void {
  if (fault === 'http-500') response.writeHead(500).end();
  else if (fault === 'redirect') response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
  else {
    // Without a length the size is known only while reading.
    const type = fault === 'html' ? 'text/html' : 'application/timestamp-reply';
    response.writeHead(200, { 'content-type': type });
    response.end(body);
  }
}

function responseOf(status: number, token?: Uint8Array<ArrayBuffer>): Uint8Array {
  const rejected = status > 1;
  const response = new TimeStampResp({
    status: new PKIStatusInfo({
      status,
      // systemFailure(25)
      ...(rejected && { failInfo: new BitString({ valueHex: new Uint8Array([0, 0, 0, 0x40]) }) }),
    }),
    ...(token && { timeStampToken: new ContentInfo({ schema: fromBER(token).result }) }),
  });
  return new Uint8Array(response.toSchema().toBER());
}
