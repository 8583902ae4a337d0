import { cosignatureVerifier } from './cosignature.js';
import { ED25519, ed25519Verifier, type NotePublicKey, parseVkey } from './note-key.js';
import type { NoteVerifier } from './signed-note.js';
import { formatBase64, parseUtf8 } from './strict-encoding.js';
import { TlogError } from './tlog-error.js';

/**
 * Policies of C2SP tlog-policy: which logs and witnesses somebody knows, and which sets of witnesses are enough.
 *
 * Two limits of this program: keys are Ed25519 (types 0x01 for logs and 0x04 for witnesses), and octets that are
 * not UTF-8 are accepted in comments only, because names and addresses are shown to people.
 */

export interface PolicyLog {
  readonly vkey: string;
  /** Its name is the origin of the log. */
  readonly verifier: NoteVerifier;
  readonly url?: string;
}

export interface PolicyWitness {
  /** Has a meaning in this policy only; elsewhere the key identifies a witness, see {@link witnessKeyName}. */
  readonly name: string;
  readonly vkey: string;
  readonly verifier: NoteVerifier;
  /** Submission prefix of tlog-witness, as written. */
  readonly url?: string;
}

export interface PolicyGroup {
  readonly name: string;
  /** So many members must have witnessed: 1 to the number of members. */
  readonly threshold: number;
  /** Names of witnesses and of earlier groups. */
  readonly members: readonly string[];
}

export interface WitnessPolicy {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  /** In the order of definition. */
  readonly groups: readonly PolicyGroup[];
  /** Name of a witness or group, or {@link NO_QUORUM}. */
  readonly quorum: string;
}

/** Predefined name: no cosignature is asked for. */
export const NO_QUORUM = 'none';

/** The policy of somebody who has named no witness. */
export const NO_WITNESS_POLICY: WitnessPolicy = { logs: [], witnesses: [], groups: [], quorum: NO_QUORUM };

const MAX_POLICY_BYTES = 65_536;
/** The specification asks for 32 at least. 64 witnesses and the log fit into the 100 signatures of a note. */
const MAX_DEFINITIONS = 64;
const MAX_NAME_CHARACTERS = 255;
const MAX_URL_CHARACTERS = 2048;

/** @throws TlogError malformed, limit_exceeded, ambiguous_key; the message names the line */
export function parseWitnessPolicy(bytes: Uint8Array): WitnessPolicy {
  if (bytes.length > MAX_POLICY_BYTES) {
    throw new TlogError('limit_exceeded', `the policy is larger than ${MAX_POLICY_BYTES} bytes`);
  }
  const policy = new PolicyReader();
  // One character stands for one octet, so that octets outside ASCII stay opaque until a line needs them.
  const lines = Buffer.from(bytes).toString('latin1').split('\n');
  lines.forEach((line, i) => atLine(i + 1, () => policy.readLine(line)));
  return policy.finish();
}

function atLine(number: number, work: () => void): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new TlogError(error.code, `line ${number} of the policy: ${error.message}`);
  }
}

function malformed(message: string): TlogError {
  return new TlogError('malformed', message);
}

/** Octets below 0x20 other than tab, and 0x7F: class Cc without tab and without U+0080 to U+009F. */
const FORBIDDEN_OCTET = /[^\P{Cc}\t\x80-\x9f]/u;

class PolicyReader {
  readonly #logs: PolicyLog[] = [];
  readonly #witnesses: PolicyWitness[] = [];
  readonly #groups: PolicyGroup[] = [];
  readonly #defined = new Set<string>();
  readonly #members = new Set<string>();
  readonly #logKeys = new Set<string>();
  readonly #witnessKeys = new Set<string>();
  readonly #keyNames = new Set<string>();
  #quorum: string | undefined;

  readLine(line: string): void {
    if (FORBIDDEN_OCTET.test(line)) {
      throw malformed('a control character other than tab and newline is not allowed');
    }
    const octets = line.split(/[ \t]+/).filter((item) => item !== '');
    if (octets.length === 0 || octets[0]?.startsWith('#')) return;
    const [keyword, ...items] = octets.map((item) => parseUtf8(Buffer.from(item, 'latin1'), 'an item'));
    if (keyword === 'log') this.#readLog(items);
    else if (keyword === 'witness') this.#readWitness(items);
    else if (keyword === 'group') this.#readGroup(items);
    else if (keyword === 'quorum') this.#readQuorum(items);
    else throw malformed('it begins with none of log, witness, group, quorum');
  }

  finish(): WitnessPolicy {
    if (this.#quorum === undefined) throw malformed('the policy has no quorum line');
    return {
      logs: this.#logs,
      witnesses: this.#witnesses,
      groups: this.#groups,
      quorum: this.#quorum,
    };
  }

  #readLog([vkey, url, ...rest]: string[]): void {
    if (vkey === undefined || rest.length > 0) throw malformed('it is not "log <vkey> [<url>]"');
    requireRoom(this.#logs);
    const key = parseVkey(vkey);
    if (key.type !== ED25519) throw malformed('the key of a log has signature type 1');
    const verifier = ed25519Verifier(key);
    this.#requireNewKey(key, verifier, this.#logKeys);
    this.#logs.push({ vkey, verifier, ...(url !== undefined && { url: requireUrl(url) }) });
  }

  #readWitness([name, vkey, url, ...rest]: string[]): void {
    if (name === undefined || vkey === undefined || rest.length > 0) {
      throw malformed('it is not "witness <name> <vkey> [<url>]"');
    }
    requireRoom(this.#witnesses);
    const key = parseVkey(vkey);
    const verifier = cosignatureVerifier(key);
    this.#requireNewKey(key, verifier, this.#witnessKeys);
    this.#define(name);
    this.#witnesses.push({ name, vkey, verifier, ...(url !== undefined && { url: requireUrl(url) }) });
  }

  #readGroup([name, thresholdText, ...members]: string[]): void {
    if (name === undefined || thresholdText === undefined || members.length === 0) {
      throw malformed('it is not "group <name> all|any|<k> <name>..."');
    }
    requireRoom(this.#groups);
    const threshold = parseThreshold(thresholdText, members.length);
    for (const member of members) {
      if (!this.#defined.has(member)) throw malformed('a member of the group is not defined above');
      if (this.#members.has(member)) throw malformed('a name is a member of a group twice');
      this.#members.add(member);
    }
    this.#define(name);
    this.#groups.push({ name, threshold, members });
  }

  #readQuorum([name, ...rest]: string[]): void {
    if (name === undefined || rest.length > 0) throw malformed('it is not "quorum <name>|none"');
    if (this.#quorum !== undefined) throw malformed('there is more than one quorum line');
    if (name !== NO_QUORUM && !this.#defined.has(name)) throw malformed('the quorum is not defined above');
    this.#quorum = name;
  }

  /** Witnesses and groups share one set of names. */
  #define(name: string): void {
    if (name === NO_QUORUM) throw malformed(`the name ${NO_QUORUM} is reserved`);
    if (name.length > MAX_NAME_CHARACTERS) throw new TlogError('limit_exceeded', 'a name is too long');
    if (this.#defined.has(name)) throw malformed('its name is already defined');
    this.#defined.add(name);
  }

  /** One key under two names would count twice. */
  #requireNewKey(key: NotePublicKey, verifier: NoteVerifier, known: Set<string>): void {
    const publicKey = formatBase64(key.publicKey);
    if (known.has(publicKey)) throw malformed('its public key is already in the policy');
    known.add(publicKey);
    const keyName = keyNameOf(verifier);
    if (this.#keyNames.has(keyName)) {
      throw new TlogError('ambiguous_key', 'two keys have one name and one key id');
    }
    this.#keyNames.add(keyName);
  }
}

function parseThreshold(text: string, memberCount: number): number {
  if (text === 'any') return 1;
  if (text === 'all') return memberCount;
  const threshold = /^[1-9][0-9]{0,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(threshold <= memberCount)) {
    throw malformed('the threshold is none of all, any, and 1 to the number of members');
  }
  return threshold;
}

function requireRoom(list: readonly unknown[]): void {
  if (list.length >= MAX_DEFINITIONS) {
    throw new TlogError('limit_exceeded', `there are more than ${MAX_DEFINITIONS} definitions of its kind`);
  }
}

function requireUrl(url: string): string {
  if (url.length > MAX_URL_CHARACTERS) throw new TlogError('limit_exceeded', 'the address is too long');
  return url;
}

/**
 * The policy as a file: logs, witnesses, groups with numbers as thresholds, quorum. It holds no comments; what it
 * writes, {@link parseWitnessPolicy} reads back.
 */
export function formatWitnessPolicy(policy: WitnessPolicy): string {
  const withUrl = (text: string, url: string | undefined): string =>
    url === undefined ? text : `${text} ${url}`;
  return [
    ...policy.logs.map(({ vkey, url }) => withUrl(`log ${vkey}`, url)),
    ...policy.witnesses.map(({ name, vkey, url }) => withUrl(`witness ${name} ${vkey}`, url)),
    ...policy.groups.map(({ name, threshold, members }) => `group ${name} ${threshold} ${members.join(' ')}`),
    `quorum ${policy.quorum}`,
    '',
  ].join('\n');
}

/**
 * What an operator configures: witnesses and a quorum for all logs of a deployment. Each witness needs an address,
 * else nobody could ask it; log lines are refused, because each log brings its own.
 * @throws TlogError malformed, limit_exceeded, ambiguous_key
 */
export function parseOperatorPolicy(bytes: Uint8Array): WitnessPolicy {
  const policy = parseWitnessPolicy(bytes);
  if (policy.logs.length > 0) throw malformed('the policy of an operator has no log lines');
  const silent = policy.witnesses.find(({ url }) => url === undefined);
  if (silent) throw malformed(`the witness ${silent.name} has no address, so it cannot be asked`);
  return policy;
}

/**
 * The operator's policy for one log, as it is shipped with proofs.
 * @param vkey verifier key of the log, type 0x01
 * @throws TlogError malformed, ambiguous_key
 */
export function policyForLog(policy: WitnessPolicy, vkey: string, url?: string): WitnessPolicy {
  const log = { vkey, ...(url !== undefined && { url }) };
  const text = formatWitnessPolicy({
    ...policy,
    logs: [{ ...log, verifier: ed25519Verifier(parseVkey(vkey)) }],
  });
  // Read back, so that the new line is held to every rule.
  return parseWitnessPolicy(Buffer.from(text, 'utf8'));
}

/**
 * Whether a policy is about this log: it names its key, or no log at all. Witnesses cosign the logs of anybody, so what
 * they saw of another log says nothing.
 * @param vkey whole, because two keys can have one name and one key id
 */
export function isPolicyFor(policy: WitnessPolicy, vkey: string): boolean {
  return policy.logs.length === 0 || policy.logs.some((log) => log.vkey === vkey);
}

/**
 * Identity of a witness outside of a policy: `<key name>+<key id>`, the first two parts of its vkey. Unlike the name
 * in the policy it stays the same when an operator reorders or renames, and changes with the key.
 */
export function witnessKeyName(witness: PolicyWitness): string {
  return keyNameOf(witness.verifier);
}

/** A key name holds no plus sign, so two keys never look alike. */
export function keyNameOf(key: { readonly name: string; readonly keyId: number }): string {
  return `${key.name}+${key.keyId.toString(16).padStart(8, '0')}`;
}
