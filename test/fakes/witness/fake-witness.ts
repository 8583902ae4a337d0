import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { z } from 'zod';
import { sha256Hex } from '../../../src/shared/bytes.js';
import { parseAddCheckpoint } from '../../../src/audit/core/add-checkpoint.js';
import { cosignatureSigner } from '../../../src/audit/core/cosignature.js';
import {
  COSIGNATURE_V1,
  ed25519Verifier,
  formatVkey,
  generatePrivateKey,
  type NotePrivateKey,
  parseVkey,
  publicKeyOf,
} from '../../../src/audit/core/note-key.js';
import {
  formatSignatureLine,
  type NoteSigner,
  type NoteVerifier,
  parseNote,
} from '../../../src/audit/core/signed-note.js';
import { type Answer, cosign, signatureAnswer, signNow, sizeAnswer, words } from './cosigning.js';
import { WitnessFault } from './witness-fault.js';
import { WitnessState } from './witness-state.js';

export interface FakeWitnessOptions {
  /** Key name. */
  readonly name?: string;
  /** Type cosignature/v1; a new one when absent. */
  readonly key?: NotePrivateKey;
  /** 0 picks a free port. */
  readonly port?: number;
  /** Where the state is kept; in memory when absent. */
  readonly stateFile?: string;
  /** Verifier keys of the logs that it knows from the start. */
  readonly logs?: readonly string[];
}

/** One submission, as it was answered. */
export interface Submission {
  readonly oldSize: number | undefined;
  readonly status: number;
}

const SIGNING_FAULTS = ['wrong-key', 'forged', 'many', 'hundred', 'future', 'past', 'no-time'] as const;
type SigningFault = (typeof SIGNING_FAULTS)[number];

function isSigningFault(fault: WitnessFault | undefined): fault is SigningFault {
  return SIGNING_FAULTS.some((one) => one === fault);
}

const page = (body: string | Uint8Array): Answer => ({
  status: 200,
  contentType: 'text/plain',
  body: Buffer.from(body),
});

/** Faults whose answer does not depend on the request. */
const FIXED_ANSWERS: Partial<Record<WitnessFault, () => Answer>> = {
  'status-500': () => words(500, 'internal error'),
  redirect: () => words(307, 'elsewhere'),
  garbage: () => page(Buffer.alloc(1000, 0xfe)),
  html: () => page('<!doctype html><p>Welcome\n'),
  empty: () => page(''),
  huge: () => page(Buffer.alloc(10_000_000, '\u2014 x AAAAAAAA\n')),
  'conflict-words': () => ({ ...sizeAnswer(0), body: Buffer.from('try again later\n') }),
  'conflict-plain': () => ({ ...sizeAnswer(0), contentType: 'text/plain' }),
  'claims-larger': () => sizeAnswer(1_000_000),
  'claims-huge': () => ({ ...sizeAnswer(0), body: Buffer.from(`${2n ** 63n}\n`) }),
  refuses: () => words(422, 'no'),
};

const MAX_BODY_BYTES = 2_000_000;
const DAY_SECONDS = 86_400;

/**
 * A witness that works: C2SP tlog-witness v1.0.0 with consistency proofs really checked, state kept before the answer,
 * and its last checkpoints to be read. It can be told to do wrong, see {@link WitnessFault}. Other processes use
 * `POST /__logs` (a list of vkeys), `PUT /__fault` (a fault or null), `POST /__forget` and `GET /__submissions`.
 */
export class FakeWitness {
  readonly vkey: string;
  readonly name: string;
  readonly #server: Server;
  readonly #key: NotePrivateKey;
  readonly #state: WitnessState;
  readonly #logs = new Map<string, NoteVerifier>();
  readonly #submissions: Submission[] = [];
  #fault: WitnessFault | undefined;
  #loop = 0;
  #origin = '';

  private constructor(options: FakeWitnessOptions) {
    this.name = options.name ?? options.key?.name ?? 'witness.example/fake';
    this.#key = options.key ?? generatePrivateKey(this.name, COSIGNATURE_V1);
    this.vkey = formatVkey(publicKeyOf(this.#key));
    this.#state = new WitnessState(options.stateFile);
    for (const vkey of options.logs ?? []) this.addLog(vkey);
    this.#server = createServer((request, response) => {
      this.#route(request, response).catch((error: unknown) => {
        if (response.headersSent) response.destroy();
        else send(response, words(400, String(error)));
      });
    });
  }

  static async start(options: FakeWitnessOptions = {}): Promise<FakeWitness> {
    const fake = new FakeWitness(options);
    await new Promise<void>((resolve, reject) => {
      fake.#server.once('error', reject);
      fake.#server.listen(options.port ?? 0, '127.0.0.1', resolve);
    });
    fake.#origin = `http://127.0.0.1:${(fake.#server.address() as AddressInfo).port}`;
    return fake;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Submission and monitoring prefix, as it stands in a policy. */
  get url(): string {
    return this.#origin;
  }

  /** What `COLOPHON_OUTBOUND_ALLOWED_HOSTS` must hold. */
  get hostPort(): string {
    return new URL(this.#origin).host;
  }

  /** Its line in a policy. */
  policyLine(name: string): string {
    return `witness ${name} ${this.vkey} ${this.url}`;
  }

  /** @param vkey verifier key of a log; its name is the origin */
  addLog(vkey: string): void {
    const verifier = ed25519Verifier(parseVkey(vkey));
    this.#logs.set(verifier.name, verifier);
  }

  /** Does wrong from now on, or right again. */
  misbehave(fault: WitnessFault | undefined): void {
    this.#fault = fault;
  }

  /** Loses its state, which no witness may. */
  forget(): void {
    this.#state.forget();
  }

  sizeOf(origin: string): number | undefined {
    return this.#state.get(origin)?.size;
  }

  submissions(): readonly Submission[] {
    return this.#submissions;
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? '/', this.#origin).pathname;
    if (path.startsWith('/__')) return this.#control(request, response, path);
    const body = await readBody(request);
    if (this.#fault === 'down') return void response.socket?.destroy();
    if (this.#fault === 'hang') return;
    if (this.#fault === 'truncated') return breakOff(response);
    if (request.method === 'POST' && path === '/add-checkpoint') return this.#submit(body, response);
    if (request.method === 'GET') return send(response, this.#lastCheckpoint(path));
    return send(response, words(404, 'not found'));
  }

  #submit(body: Buffer, response: ServerResponse): void {
    const answer = this.#answer(body);
    this.#submissions.push({ oldSize: oldSizeOf(body), status: answer.status });
    send(response, answer);
  }

  #answer(body: Buffer): Answer {
    const fault = this.#fault;
    if (isSigningFault(fault)) return this.#signWrongly(body, fault);
    if (fault === 'conflict-loop') {
      this.#loop = (this.#loop + 1) % 2;
      return sizeAnswer(this.#loop);
    }
    if (fault === 'conflict-same') return sizeAnswer(oldSizeOf(body) ?? 0);
    const fixed = fault === undefined ? undefined : FIXED_ANSWERS[fault];
    return fixed?.() ?? cosign(body, this.#logs, this.#state, this.#signer(0));
  }

  #signWrongly(body: Buffer, fault: SigningFault): Answer {
    const { text } = parseNote(parseAddCheckpoint(body).checkpoint);
    const own = this.#signer(0);
    const stranger = cosignatureSigner(generatePrivateKey(this.name, COSIGNATURE_V1), nowSeconds);
    const good = { name: own.name, keyId: own.keyId, signature: signNow(own, text) };
    const strange = { name: own.name, keyId: stranger.keyId, signature: signNow(stranger, text) };
    const shifted = (seconds: number): Answer =>
      signatureAnswer([{ ...good, signature: signNow(this.#signer(seconds), text) }]);
    switch (fault) {
      case 'wrong-key':
        return signatureAnswer([strange]);
      case 'forged':
        return signatureAnswer([{ ...good, signature: strange.signature }]);
      case 'many': {
        const line = formatSignatureLine(good);
        return page(line.repeat(10_000));
      }
      case 'hundred': {
        const strangers = Array.from({ length: 99 }, (_, i) => ({
          ...strange,
          name: `stranger.example/${i}`,
        }));
        return signatureAnswer([...strangers, good]);
      }
      case 'future':
        return shifted(DAY_SECONDS);
      case 'past':
        return shifted(-DAY_SECONDS);
      case 'no-time': {
        const signature = Buffer.from(good.signature);
        signature.writeBigUInt64BE(2n ** 60n);
        return signatureAnswer([{ ...good, signature }]);
      }
    }
  }

  #signer(shiftSeconds: number): NoteSigner {
    return cosignatureSigner(this.#key, () => nowSeconds() + shiftSeconds);
  }

  #lastCheckpoint(path: string): Answer {
    const origin = this.#state.origins().find((known) => path === `/${sha256Hex(known)}/checkpoint`);
    const seen = origin === undefined ? undefined : this.#state.get(origin);
    if (seen === undefined || this.#fault === 'no-monitoring') return words(404, 'not found');
    return { status: 200, contentType: 'text/plain; charset=utf-8', body: Buffer.from(seen.note, 'utf8') };
  }

  async #control(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const body = await readBody(request);
    const json = (): unknown => JSON.parse(body.toString('utf8'));
    if (path === '/__submissions') return sendJson(response, this.#submissions);
    if (path === '/__logs' && request.method === 'POST') {
      for (const vkey of z.array(z.string()).parse(json())) this.addLog(vkey);
      return sendJson(response, [...this.#logs.keys()]);
    }
    if (path === '/__fault' && request.method === 'PUT') {
      this.misbehave(WitnessFault.nullable().parse(json()) ?? undefined);
      return sendJson(response, this.#fault ?? null);
    }
    if (path === '/__forget' && request.method === 'POST') {
      this.forget();
      return sendJson(response, null);
    }
    return send(response, words(404, 'not found'));
  }
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

function oldSizeOf(body: Buffer): number | undefined {
  const match = /^old ([0-9]{1,15})\n/.exec(body.toString('latin1'));
  return match === null ? undefined : Number(match[1]);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > MAX_BODY_BYTES) throw new Error('the request is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Announces more than it sends. */
function breakOff(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '200' });
  response.write('\u2014 witness.example/fake AAAA');
  setImmediate(() => response.destroy());
}

function send(response: ServerResponse, answer: Answer): void {
  const location = answer.status === 307 ? { location: 'https://example.com/add-checkpoint' } : {};
  response.writeHead(answer.status, { 'content-type': answer.contentType, ...location });
  response.end(answer.body);
}

function sendJson(response: ServerResponse, value: unknown): void {
  send(response, { status: 200, contentType: 'application/json', body: Buffer.from(JSON.stringify(value)) });
}
