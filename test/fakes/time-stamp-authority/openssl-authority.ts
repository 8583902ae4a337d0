import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Version line of the machine's openssl, or undefined where there is none. */
export function opensslVersion(): string | undefined {
  const { status, stdout } = spawnSync('openssl', ['version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}

const run = promisify(execFile);

export interface OpensslAuthorityOptions {
  readonly key?: 'ec' | 'rsa';
  /** Hash in ESSCertID: sha1 makes a version 1 attribute, the others version 2. */
  readonly essCertIdHash?: 'sha1' | 'sha256' | 'sha512';
}

const CONFIG = (essCertIdHash: string): string => `
[tsa]
default_tsa = tsa_config
[tsa_config]
dir = .
serial = ./serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
ess_cert_id_alg = ${essCertIdHash}
[tsa_extensions]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[ca_extensions]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[req]
distinguished_name = dn
prompt = no
[dn]
`;

/** An authority that is nobody's work of ours: `openssl ts` with a CA of its own, in a folder of its own. */
export class OpensslAuthority {
  private server?: Server;
  /** `openssl ts` keeps its serial number in a file, so one request at a time. */
  private last: Promise<unknown> = Promise.resolve();
  private count = 0;

  private constructor(readonly folder: string) {}

  static async create(options: OpensslAuthorityOptions = {}): Promise<OpensslAuthority> {
    const authority = new OpensslAuthority(mkdtempSync(join(tmpdir(), 'colophon-openssl-tsa-')));
    writeFileSync(authority.path('tsa.cnf'), CONFIG(options.essCertIdHash ?? 'sha256'));
    writeFileSync(authority.path('serial'), '1000\n');
    const key = options.key === 'rsa' ? ['rsa:2048'] : ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
    const config = ['-config', 'tsa.cnf'];
    const make = (name: string, subject: string, ...rest: string[]): Promise<void> =>
      authority.openssl(
        'req',
        ...config,
        '-newkey',
        ...key,
        '-nodes',
        '-keyout',
        `${name}.key`,
        '-subj',
        subject,
        ...rest,
      );
    await make(
      'ca',
      '/O=OpenSSL/CN=OpenSSL root',
      '-x509',
      '-days',
      '30',
      '-extensions',
      'ca_extensions',
      '-out',
      'ca.pem',
    );
    await make('tsa', '/O=OpenSSL/CN=OpenSSL TSA', '-out', 'tsa.csr');
    const sign = [
      '-req',
      '-in',
      'tsa.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '20',
    ];
    await authority.openssl(
      'x509',
      ...sign,
      '-extfile',
      'tsa.cnf',
      '-extensions',
      'tsa_extensions',
      '-out',
      'tsa.pem',
    );
    return authority;
  }

  get rootsPem(): string {
    return readFileSync(this.path('ca.pem'), 'utf8');
  }

  get hostPort(): string {
    return `127.0.0.1:${(this.server?.address() as AddressInfo).port}`;
  }

  get url(): string {
    return `http://${this.hostPort}/timestamp`;
  }

  /** The DER of a response to the DER of a query; with `-token_out` in `flags` the token alone. */
  async reply(query: Uint8Array, ...flags: readonly string[]): Promise<Buffer> {
    const work = this.last.then(async () => {
      const name = `request-${this.count++}`;
      writeFileSync(this.path(`${name}.tsq`), query);
      const files = ['-queryfile', `${name}.tsq`, '-out', `${name}.tsr`];
      await this.openssl(
        'ts',
        '-reply',
        '-config',
        'tsa.cnf',
        ...files,
        '-signer',
        'tsa.pem',
        '-inkey',
        'tsa.key',
        ...flags,
      );
      return readFileSync(this.path(`${name}.tsr`));
    });
    this.last = work.catch(() => undefined);
    return work;
  }

  /** The DER of a query for these bytes, made by `openssl ts`. */
  async query(
    message: Uint8Array,
    digest: 'sha1' | 'sha256' | 'sha384' | 'sha512' = 'sha256',
  ): Promise<Buffer> {
    writeFileSync(this.path('message'), message);
    await this.openssl('ts', '-query', '-data', 'message', `-${digest}`, '-cert', '-out', 'query.tsq');
    return readFileSync(this.path('query.tsq'));
  }

  /** Serves `reply` over HTTP on a free port of the loopback interface. */
  async listen(): Promise<this> {
    this.server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        this.reply(Buffer.concat(chunks)).then(
          (body) => response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(body),
          () => response.writeHead(500).end(),
        );
      });
    });
    await new Promise<void>((resolve) => this.server?.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    await this.last;
    this.server?.closeAllConnections();
    await new Promise<void>((resolve) => (this.server ? this.server.close(() => resolve()) : resolve()));
    rmSync(this.folder, { recursive: true, force: true });
  }

  private path(name: string): string {
    return join(this.folder, name);
  }

  private async openssl(...args: readonly string[]): Promise<void> {
    await run('openssl', args, { cwd: this.folder });
  }
}

/**
 * `openssl ts -verify` as an outsider runs it on a checkpoint's text and a token or response.
 * @returns what it printed, and whether it was satisfied
 */
export async function opensslVerify(evidence: {
  readonly message: Uint8Array;
  /** DER of a token, or of a whole response when `isResponse`. */
  readonly token: Uint8Array;
  readonly isResponse?: boolean;
  readonly rootsPem: string;
}): Promise<{ ok: boolean; output: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'colophon-openssl-verify-'));
  try {
    writeFileSync(join(folder, 'body'), evidence.message);
    writeFileSync(join(folder, 'token'), evidence.token);
    writeFileSync(join(folder, 'roots.pem'), evidence.rootsPem);
    const form = evidence.isResponse === true ? [] : ['-token_in'];
    const args = ['ts', '-verify', '-data', 'body', '-in', 'token', ...form, '-CAfile', 'roots.pem'];
    const { stdout, stderr } = await run('openssl', args, { cwd: folder });
    const output = `${stdout}${stderr}`;
    return { ok: output.includes('Verification: OK'), output };
  } catch (error) {
    return { ok: false, output: error instanceof Error ? error.message : String(error) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
