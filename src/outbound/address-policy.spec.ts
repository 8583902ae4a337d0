import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isOwnNetworkAddress, isPublicAddress } from './address-policy.js';

const NOT_PUBLIC: readonly [string, readonly string[]][] = [
  ['this network', ['0.0.0.0', '0.1.2.3', '::']],
  ['loopback', ['127.0.0.1', '127.255.255.254', '::1']],
  ['private (RFC 1918)', ['10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.0.1']],
  ['carrier-grade NAT', ['100.64.0.1', '100.127.255.254', '100.100.100.200']],
  [
    'link-local and cloud metadata',
    ['169.254.169.254', '169.254.0.1', 'fe80::1', 'fe80::1%eth0', '168.63.129.16'],
  ],
  ['unique local', ['fc00::1', 'fd00:ec2::254', 'fdff::1']],
  ['site-local', ['fec0::1']],
  ['multicast and broadcast', ['224.0.0.1', '239.255.255.255', 'ff02::1', '255.255.255.255']],
  [
    'reserved and documentation',
    ['192.0.0.192', '192.0.2.1', '198.18.0.1', '198.51.100.1', '203.0.113.1', '240.0.0.1'],
  ],
  [
    'IPv4-mapped and -compatible',
    ['::ffff:127.0.0.1', '::ffff:7f00:1', '::ffff:8.8.8.8', '::a00:1', '::127.0.0.1'],
  ],
  ['NAT64', ['64:ff9b::7f00:1', '64:ff9b::808:808', '64:ff9b:1::1']],
  ['6to4 and Teredo', ['2002:7f00:1::', '2002:a00:1::1', '192.88.99.1', '2001::1']],
  [
    'IPv6 documentation, discard, unassigned',
    ['2001:db8::1', '3fff::1', '100::1', '4000::1', '5f00::1', 'e000::1'],
  ],
  ['not an address', ['', 'localhost', 'example.com', '1.2.3', '1.2.3.4.5', '[::1]']],
];

describe('isPublicAddress', () => {
  it.each(NOT_PUBLIC)('refuses %s', (_name, addresses) => {
    expect(addresses.filter(isPublicAddress)).toEqual([]);
  });

  it.each(['1.1.1.1', '8.8.8.8', '151.101.1.1', '2606:4700:4700::1111', '2a00:1450:4001:80b::200e'])(
    'accepts %s',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );

  it('never takes an address of an own network for public, whatever the host part', () => {
    const prefixes = [
      (a: number, b: number, c: number) => `10.${a}.${b}.${c}`,
      (a: number, b: number, c: number) => `127.${a}.${b}.${c}`,
      (_a: number, b: number, c: number) => `192.168.${b}.${c}`,
      (_a: number, b: number, c: number) => `169.254.${b}.${c}`,
      (a: number, b: number, c: number) => `172.${16 + (a % 16)}.${b}.${c}`,
      (a: number, b: number, c: number) => `::ffff:${a}.${a}.${b}.${c}`,
      (a: number, b: number, c: number) => `64:ff9b::${(a * 256 + b).toString(16)}:${c.toString(16)}`,
    ];
    const octet = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.constantFrom(...prefixes), octet, octet, octet, (prefix, a, b, c) => {
        expect(isPublicAddress(prefix(a, b, c))).toBe(false);
      }),
    );
  });
});

describe('isOwnNetworkAddress', () => {
  it('accepts what an operator may run at home, but no link-local, metadata or multicast address', () => {
    expect(
      ['127.0.0.1', '::1', '10.0.0.5', '192.168.1.1', 'fd12::1', '100.64.0.1'].filter(
        (a) => !isOwnNetworkAddress(a),
      ),
    ).toEqual([]);
    expect(
      ['169.254.169.254', 'fe80::1', '0.0.0.0', '224.0.0.1', '::ffff:127.0.0.1', '8.8.8.8', 'x'].filter(
        isOwnNetworkAddress,
      ),
    ).toEqual([]);
  });
});
