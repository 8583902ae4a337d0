import { isIP } from 'node:net';
import { isOwnNetworkAddress, isPublicAddress } from './address-policy.js';
import { urlBlocked } from './outbound-error.js';

/** The operator's exceptions. Each is `host:port` exactly as it stands in the URL, e.g. `10.0.0.5:8188`. */
export type AllowedPrivateHosts = readonly string[];

/** A URL that may be tried. The addresses behind its name are still to be checked, when the connection is made. */
export interface OutboundTarget {
  readonly url: URL;
  /** Host as the connection needs it: a name, or an address without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Whether the operator named this very host; otherwise the name may be anybody's. */
  readonly isOperators: boolean;
  /** Decides over each address that the name resolves to. */
  readonly mayConnectTo: (address: string) => boolean;
}

const MAX_URL_CHARACTERS = 8192;
/** RFC 1035 section 2.3.4: a name without its last dot, and each of its labels. */
const MAX_NAME_CHARACTERS = 253;
const LABEL = /^[a-z0-9_-]{1,63}$/;

/** Printable ASCII without space and backslash: everything else is read differently by different URL parsers. */
const UNAMBIGUOUS = /^[\x21-\x5b\x5d-\x7e]+$/;
const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'https:': 443, 'http:': 80 };

/**
 * Parses and judges an address that somebody else gave us: a user, a provider, a manifest. Pure, no DNS.
 *
 * Public hosts: https on port 443. Hosts in `allowedPrivateHosts`: http or https on the listed port, public or
 * own-network addresses. Other spellings of an IPv4 address (`0x7f.1`, `2130706433`, `127.1`) are normalized by
 * the WHATWG parser and then judged like any address.
 * @throws OutboundError url_blocked
 */
export function parseOutboundUrl(text: string, allowedPrivateHosts: AllowedPrivateHosts): OutboundTarget {
  const url = parseUnambiguousUrl(text);
  const port = url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 0) : Number(url.port);
  const allowed = isAllowedHost(url.hostname, port, allowedPrivateHosts);
  if (url.protocol !== 'https:' && !(allowed && url.protocol === 'http:')) {
    throw urlBlocked('only https addresses are fetched');
  }
  if (port !== 443 && !allowed) throw urlBlocked('only port 443 is contacted');
  const hostname = url.hostname.replace(/^\[|\]$/g, '');
  const mayConnectTo = (address: string): boolean =>
    isPublicAddress(address) || (allowed && isOwnNetworkAddress(address));
  if (isIP(hostname) === 0) requireName(hostname);
  const isInside = isIP(hostname) === 0 ? isOwnName(hostname) && !allowed : !mayConnectTo(hostname);
  if (isInside) throw urlBlocked('the address is not public');
  return { url, hostname, port, isOperators: allowed, mayConnectTo };
}

/**
 * No DNS server knows another name, and a longer one must not come near TLS: Node leaves the error of a server name
 * above 255 characters in OpenSSL's queue, where the next job of WebCrypto finds it and ends the process (Node 20, 24).
 */
function requireName(hostname: string): void {
  const name = hostname.replace(/\.$/, '');
  const isName = name.length <= MAX_NAME_CHARACTERS && name.split('.').every((label) => LABEL.test(label));
  if (!isName) throw urlBlocked('the host is no name that can be looked up');
}

/** RFC 6761 section 6.3: never asked for at a name server. */
function isOwnName(hostname: string): boolean {
  return /(^|\.)localhost\.?$/.test(hostname);
}

function parseUnambiguousUrl(text: string): URL {
  if (text.length > MAX_URL_CHARACTERS) throw urlBlocked('the address is too long');
  if (!UNAMBIGUOUS.test(text)) {
    throw urlBlocked('the address holds a character that parsers disagree about');
  }
  if (!URL.canParse(text)) throw urlBlocked('the address is not a URL');
  const url = new URL(text);
  // `https://@host` parses to empty credentials, so the text itself is looked at as well.
  const authority = /^[a-z][a-z0-9+.-]*:\/*([^/?#]*)/i.exec(text)?.[1] ?? '';
  if (url.username !== '' || url.password !== '' || authority.includes('@')) {
    throw urlBlocked('credentials in the address are refused');
  }
  if (url.hostname === '') throw urlBlocked('the address names no host');
  return url;
}

function isAllowedHost(hostname: string, port: number, allowedPrivateHosts: AllowedPrivateHosts): boolean {
  return allowedPrivateHosts.some((entry) => {
    const allowed = parseAllowedHost(entry);
    return allowed.hostname === hostname && allowed.port === port;
  });
}

/**
 * Reads one `host:port` pair of the configuration.
 * @throws Error for anything else; call it at start so that a typing error is not taken for a refusal later
 */
export function parseAllowedHost(entry: string): { readonly hostname: string; readonly port: number } {
  const match = /^(\[[0-9a-fA-F:.]+\]|[^\s/@:?#\\]+):([0-9]{1,5})$/.exec(entry);
  const host = match?.[1];
  const port = Number(match?.[2]);
  if (host === undefined || port < 1 || port > 65_535 || !URL.canParse(`http://${host}/`)) {
    throw new Error(`not a host:port pair: ${entry}`);
  }
  return { hostname: new URL(`http://${host}/`).hostname, port };
}

/** The `host:port` pair of an address that the operator configured, for the list of allowed hosts. */
export function allowedHostOf(configuredUrl: string): string {
  const url = new URL(configuredUrl);
  return `${url.hostname}:${url.port === '' ? (DEFAULT_PORTS[url.protocol] ?? 0) : url.port}`;
}
