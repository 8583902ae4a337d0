import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { KEY_COMPROMISE_REASONS } from '../../audit/core/entries/key-entries.js';
import { readConfiguration } from '../../config/configuration.js';
import {
  certificateStanding,
  type KeyGeneration,
  type KeyPurpose,
} from '../../provenance/domain/key-generation.js';
import { SIGNING_ALGORITHMS, type SigningAlgorithm } from '../../provenance/domain/signing-algorithm.js';
import { parseKeyReference } from '../../provenance/adapters/keys/key-reference.js';
import { FileSigningKeys } from '../../provenance/adapters/keys/file/file-signing-keys.js';
import { ERROR_CODES, isColophonError } from '../../shared/errors.js';
import { EXIT, Unusable } from '../exit-code.js';
import { printableJson } from '../printable.js';
import { printAffected } from './print-affected.js';
import { type KeyDesk, openKeyDesk } from './key-desk.js';
import { join } from 'node:path';

export const USAGE = `Usage: colophon keys COMMAND [options]

  list                     all keys, their states and certificates
  csr --subject NAME       a certificate request (PKCS#10) for the key of COLOPHON_CLAIM_KEY; the key is pending then
      --key URI            another key: file:, awskms:, pkcs11: or vault:
      --new [--algorithm es256|es384|ps256|ed25519]
                           make the key first; only for file:
  import FILE              the chain that an authority issued for a pending key: leaf first, root last
  activate ID              the key signs from now on; the one before finishes what it began
  rotate                   development authority: a new key with its certificate, active at once
  revoke ID --reason key_compromise|ca_compromise|suspected_compromise
                           the key is given up for good; prints what it signed
  affected ID              what a key signed, by log

  --purpose claim|report   which kind of key (default claim)
  --json                   for programs
  --help                   this text

Works on the database of this installation, beside a running service, which takes up each change by itself.
A key is named by its id or the beginning of it.`;

const OPTIONS = {
  subject: { type: 'string' },
  key: { type: 'string' },
  new: { type: 'boolean', default: false },
  algorithm: { type: 'string', default: 'es256' },
  purpose: { type: 'string', default: 'claim' },
  reason: { type: 'string' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const;

type Arguments = ReturnType<typeof parse>;

function parse(argv: string[]) {
  return parseArgs({ args: argv, options: OPTIONS, allowPositionals: true });
}

type Command = (desk: KeyDesk, argument: string | undefined, values: Arguments['values']) => Promise<void>;

const COMMANDS: Readonly<Record<string, Command>> = {
  async list(desk, _, values) {
    const keys = await desk.generations.list();
    if (values.json) console.log(JSON.stringify(keys.map(keyJson), null, 2));
    else console.log(keys.length === 0 ? 'There are no keys yet.' : keys.map(keyText).join('\n\n'));
  },

  async csr(desk, _, values) {
    const purpose = purposeOf(values);
    const { claimKey, reportKey } = desk.configuration.keys;
    const reference = values.key ?? (purpose === 'claim' ? claimKey : reportKey);
    if (reference === undefined)
      throw new Unusable('name the key by --key, or by COLOPHON_CLAIM_KEY or COLOPHON_REPORT_KEY');
    if (values.subject === undefined)
      throw new Unusable('give --subject, e.g. "C=DE, O=Example GmbH, CN=Example Media"');
    if (values.new) await makeFileKey(desk, reference, values.algorithm);
    const { generation, pem } = await desk.changeKeys.request(purpose, reference, values.subject);
    console.error(
      `Key ${generation.id} (${generation.reference}, ${generation.algorithm}) is ${generation.state}.`,
    );
    console.log(pem.trimEnd());
  },

  async import(desk, file, values) {
    if (file === undefined) throw new Unusable('name the file with the chain');
    const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
      throw new Unusable(`${printableJson(file)} cannot be read`, { cause });
    });
    tell(
      await desk.changeKeys.import(purposeOf(values), pem),
      'is certified. Next: colophon keys activate',
      values,
    );
  },

  async activate(desk, id, values) {
    tell(await desk.changeKeys.activate((await find(desk, id)).id), 'signs from now on.', values);
  },

  async rotate(desk, _, values) {
    const purpose = purposeOf(values);
    const active = await desk.generations.active(purpose);
    if (desk.configuration.production || (active !== undefined && !active.development))
      throw new Unusable(
        'only the development authority certifies a key by itself. Run: colophon keys csr, import, activate',
      );
    tell(await desk.developmentKeys.rotate(purpose), 'signs from now on.', values);
  },

  async revoke(desk, id, values) {
    const reason = KEY_COMPROMISE_REASONS.find((one) => one === values.reason);
    if (reason === undefined) throw new Unusable(`give --reason: ${KEY_COMPROMISE_REASONS.join(', ')}`);
    const key = await desk.changeKeys.revoke((await find(desk, id)).id, reason);
    console.error(
      `Key ${key.id} is compromised: nothing is recorded any more that it signs. Disable it where it lies, and have its authority revoke the certificate.`,
    );
    if ((await desk.generations.active(key.purpose)) === undefined)
      console.error(
        `No ${key.purpose} key is active now: everything that needs a signature is held until one is.`,
      );
    await printAffected(desk, key, values.json);
  },

  async affected(desk, id, values) {
    await printAffected(desk, await find(desk, id), values.json);
  },
};

/** `colophon keys`. @returns the exit code */
export async function keys(argv: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  try {
    const { values, positionals } = parse(argv);
    const [name, argument, ...rest] = positionals;
    if (values.help) {
      console.log(USAGE);
      return EXIT.ok;
    }
    const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
    if (command === undefined || rest.length > 0)
      throw new TypeError(name === undefined ? 'name a command' : 'there is no such command');
    const desk = await openKeyDesk(readConfiguration(environment));
    try {
      await command(desk, argument, values);
    } finally {
      await desk.close();
    }
    return EXIT.ok;
  } catch (error) {
    if (isColophonError(error)) {
      console.error(`colophon keys: ${error.message}`);
      if (error.code === 'signer_unavailable' && error.cause instanceof Error)
        console.error(`  ${error.cause.message}`);
      return ERROR_CODES[error.code].status >= 500 ? EXIT.unusable : EXIT.wrong;
    }
    const usage = error instanceof TypeError ? `\n\n${USAGE}` : '';
    console.error(`colophon keys: ${error instanceof Error ? error.message : String(error)}${usage}`);
    return EXIT.unusable;
  }
}

async function makeFileKey(desk: KeyDesk, reference: string, algorithm: string): Promise<void> {
  const parsed = parseKeyReference(reference);
  if (parsed.scheme !== 'file')
    throw new Unusable('--new makes files only: make keys in KMS, Vault or on a token with their own tools');
  const known: SigningAlgorithm | undefined = SIGNING_ALGORITHMS.find((one) => one === algorithm);
  if (known === undefined) throw new Unusable(`--algorithm is one of ${SIGNING_ALGORITHMS.join(', ')}`);
  await new FileSigningKeys(join(desk.configuration.home, 'keys')).create(parsed, known);
}

function purposeOf({ purpose }: Arguments['values']): KeyPurpose {
  if (purpose === 'claim' || purpose === 'report') return purpose;
  throw new Unusable('--purpose is claim or report');
}

async function find(desk: KeyDesk, id: string | undefined): Promise<KeyGeneration> {
  const MIN_CHARACTERS = 8;
  if (id === undefined || id.length < MIN_CHARACTERS)
    throw new Unusable('name the key by its id, or by at least 8 characters of it');
  const found = (await desk.generations.list()).filter((key) => key.id.startsWith(id));
  const [key] = found;
  if (key === undefined) throw new Unusable('there is no key with this id');
  if (found.length > 1) throw new Unusable('several keys begin like this: give more of the id');
  return key;
}

function tell(key: KeyGeneration, what: string, { json }: Arguments['values']): void {
  if (json) console.log(JSON.stringify(keyJson(key), null, 2));
  else console.log(`Key ${key.id} ${what}${what.endsWith('.') ? '' : ` ${key.id}`}`);
}

function keyJson({ certificate, ...key }: KeyGeneration) {
  return { ...key, certificate: certificate ?? null };
}

function keyText(key: KeyGeneration): string {
  const { certificate } = key;
  const validity =
    certificate === undefined
      ? 'no certificate yet'
      : `${certificate.notBefore.toISOString()} to ${certificate.notAfter.toISOString()} (${certificateStanding(certificate, new Date()).replaceAll('_', ' ')})`;
  return [
    `${key.id}  ${key.purpose}  ${key.state} since ${key.changedAt.toISOString()}${key.development ? '  development' : ''}`,
    `  key          ${key.reference}  ${key.algorithm}`,
    `  certificate  ${validity}`,
    ...(certificate === undefined ? [] : [`  SHA-256      ${certificate.sha256}`]),
  ].join('\n');
}
