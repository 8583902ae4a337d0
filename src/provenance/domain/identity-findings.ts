import { type ChainNode, type ValidationStatus } from './media-verifier.port.js';
import { statusWords } from './status-words.js';

/** A person or organization who put their name to the file with a credential of their own (CAWG identity 1.3). */
export interface IdentityFinding {
  /** Label of the assertion, e.g. `cawg.identity__1`. */
  readonly label: string;
  /** `cawg.x509.cose` or `cawg.identity_claims_aggregation`. */
  readonly signatureType: string | undefined;
  readonly roles: readonly string[];
  /** `trusted` and `holds` by the checks of the library; `not_checked` when it says nothing about this identity. */
  readonly status: 'trusted' | 'holds' | 'broken' | 'not_checked';
  readonly text: string;
}

const IDENTITY_LABEL = /^cawg\.identity(__\d+)?$/;
const MAX_IDENTITIES = 20;
const MAX_ROLES = 10;
const MAX_LENGTH = 100;
const UNTRUSTED: ReadonlySet<string> = new Set([
  'cawg.x509.signing_credential.untrusted',
  'cawg.ica.untrusted_issuer',
]);
const HOLDS = ['cawg.identity.well-formed', 'cawg.x509.signature.validated', 'cawg.ica.credential_valid'];
const TRUSTED = ['cawg.identity.trusted', 'cawg.x509.signing_credential.trusted'];

/** The identities of the active manifest. */
export function identityFindings(chain: ChainNode, statuses: readonly ValidationStatus[]): IdentityFinding[] {
  return chain.assertions
    .filter(({ label }) => IDENTITY_LABEL.test(label))
    .slice(0, MAX_IDENTITIES)
    .map(({ label, data }) => {
      const payload = field(data, 'signer_payload') ?? data;
      const own = statuses.filter(({ code, url }) => code.startsWith('cawg.') && url?.endsWith(`/${label}`));
      return {
        label,
        signatureType: text(field(payload, 'sig_type')),
        roles: roles(field(payload, 'role')),
        ...judge(own),
      };
    });
}

function judge(statuses: readonly ValidationStatus[]): Pick<IdentityFinding, 'status' | 'text'> {
  const failure = statuses.find(({ outcome, code }) => outcome === 'failure' && !UNTRUSTED.has(code));
  if (failure)
    return { status: 'broken', text: `This identity does not hold: ${statusWords(failure.code)}.` };
  const codes = new Set(statuses.map(({ code }) => code));
  if (TRUSTED.some((code) => codes.has(code)))
    return { status: 'trusted', text: 'This identity holds, and somebody whom we trust vouches for it.' };
  if (HOLDS.some((code) => codes.has(code)))
    return { status: 'holds', text: 'This identity holds, but nobody whom we trust vouches for it.' };
  return { status: 'not_checked', text: 'This identity was not checked: do not rely on it.' };
}

function roles(value: unknown): string[] {
  const items: unknown[] = Array.isArray(value) ? value : [];
  return items.slice(0, MAX_ROLES).flatMap((item) => text(item) ?? []);
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_LENGTH) : undefined;
}
