import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** RFC 4291 section 2.4: only 2000::/3 is assigned as global unicast; everything else is special or unassigned. */
const GLOBAL_UNICAST_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** A virtual public address that answers only inside one cloud, with host configuration and credentials (Azure). */
const CLOUD_METADATA = new Set(['168.63.129.16']);

/** What a network on the operator's own premises may use. Link-local is not among them: cloud metadata lives there. */
const OWN_NETWORK_RANGES = new Set(['private', 'loopback', 'uniqueLocal', 'carrierGradeNat']);

/**
 * Whether an address belongs to the public internet (IANA special-purpose registries, RFC 6890).
 * Addresses that carry another one inside (IPv4-mapped, NAT64, 6to4, Teredo) are refused whole:
 * what they reach depends on the network, not on us.
 * @param address textual IP address as the resolver gives it; anything unparsable is not public
 */
export function isPublicAddress(address: string): boolean {
  // isIP first: ipaddr.js alone also accepts historic spellings such as `1.2.3` for 1.2.0.3.
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  if (parsed instanceof ipaddr.IPv6) return parsed.zoneId === undefined && parsed.match(GLOBAL_UNICAST_IPV6);
  return !CLOUD_METADATA.has(parsed.toString());
}

/** Whether an address may be used for a host that the operator allowed by name. */
export function isOwnNetworkAddress(address: string): boolean {
  return isIP(address) !== 0 && OWN_NETWORK_RANGES.has(ipaddr.parse(address).range());
}
