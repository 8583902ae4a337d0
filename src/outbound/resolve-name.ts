import { lookup as systemLookup, type LookupAddress, promises as dns } from 'node:dns';
import { type OutboundTarget } from './outbound-target.js';

/** Resolves a host name to all its addresses. Replaceable so that tests can play a hostile name server. */
export type AddressResolver = (hostname: string) => Promise<readonly LookupAddress[]>;

/** Of each query to each server, of which the second waits twice as long. */
const QUERY_TIMEOUT_MS = 2000;
const QUERY_TRIES = 2;

/**
 * Names that the operator chose are looked up as everything on the machine is, by `/etc/hosts` and search domains too.
 *
 * All others are asked for at the name servers without a thread: the system's function keeps one of libuv's few threads
 * until it has an answer, so that some names whose servers are silent would stop the lookups of everybody.
 */
export function resolverFor({ isOperators }: OutboundTarget): AddressResolver {
  return isOperators ? systemResolver : nameServerResolver();
}

const systemResolver: AddressResolver = (hostname) =>
  new Promise((resolve, reject) => {
    systemLookup(hostname, { all: true, verbatim: true }, (error, addresses) => {
      if (error) reject(error);
      else resolve(addresses);
    });
  });

/** @param servers `address:port`; default: those of the machine as they are configured at that moment */
export function nameServerResolver(servers?: readonly string[]): AddressResolver {
  return async (hostname) => {
    const resolver = new dns.Resolver({ timeout: QUERY_TIMEOUT_MS, tries: QUERY_TRIES });
    if (servers !== undefined) resolver.setServers(servers);
    const [four, six] = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
    if (four.status === 'rejected' && six.status === 'rejected') throw four.reason;
    return [
      ...(four.status === 'fulfilled' ? four.value : []).map((address) => ({ address, family: 4 })),
      ...(six.status === 'fulfilled' ? six.value : []).map((address) => ({ address, family: 6 })),
    ];
  };
}
