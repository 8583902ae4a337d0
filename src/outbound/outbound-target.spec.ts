import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isColophonError } from '../shared/errors.js';
import { parseAllowedHost, parseOutboundUrl } from './outbound-target.js';

function outcome(url: string, allowed: string[] = []): string {
  try {
    const target = parseOutboundUrl(url, allowed);
    return `${target.hostname}:${target.port}`;
  } catch (error) {
    return isColophonError(error) ? error.code : String(error);
  }
}

const BLOCKED: readonly [string, readonly string[]][] = [
  [
    'names that no DNS server knows, and of which TLS must not hear',
    [
      `https://${'a'.repeat(64)}.example/`,
      `https://${'a.'.repeat(126)}example/`,
      `https://${'a'.repeat(300)}/`,
      'https://a..example/',
      'https://.example/',
      'https://example../',
      'https://a*b.example/',
    ],
  ],
  [
    'other spellings of this machine',
    [
      'https://127.0.0.1/',
      'https://0.0.0.0/',
      'https://[::1]/',
      'https://[::]/',
      'https://[::ffff:127.0.0.1]/',
      'https://[::ffff:7f00:1]/',
      'https://2130706433/',
      'https://0x7f.1/',
      'https://0x7f000001/',
      'https://017700000001/',
      'https://0177.0.0.1/',
      'https://127.1/',
      'https://127.0.0.1./',
      'https://%31%32%37.0.0.1/',
    ],
  ],
  [
    'private, link-local and translated addresses',
    [
      'https://169.254.169.254/latest/meta-data/',
      'https://10.0.0.1/',
      'https://172.16.0.1/',
      'https://192.168.1.1/',
      'https://100.64.0.1/',
      'https://[fc00::1]/',
      'https://[fd00:ec2::254]/',
      'https://[fe80::1]/',
      'https://[64:ff9b::7f00:1]/',
      'https://[2002:7f00:1::]/',
      'https://168.63.129.16/',
    ],
  ],
  [
    'other schemes',
    [
      'http://example.com/',
      'http://169.254.169.254/',
      'file:///etc/passwd',
      'gopher://example.com/',
      'ftp://example.com/',
      'data:image/png;base64,AAAA',
      'javascript:alert(1)',
      'blob:https://example.com/1',
      'ws://example.com/',
      'HTTPS',
      '//example.com/',
      '/etc/passwd',
      '',
    ],
  ],
  [
    'credentials and addresses that parsers disagree about',
    [
      'https://user:pass@example.com/',
      'https://user@example.com/',
      'https://good.com@evil.com/',
      'https://@evil.com/',
      'https://:@evil.com/',
      'https:/user@evil.com/',
      'https://good.com\\@evil.com/',
      'https:\\\\evil.com/',
      'https://ex\u3002com/',
      'https://\uff11\uff12\uff17.0.0.1/',
      'https://g\u043e\u043egle.com/',
      'https://example.com/\r\nHost: evil',
      'https://exa\tmple.com/',
      ' https://example.com/',
      'https://exa mple.com/',
      'https://example.com/\0',
      'https://example.com:99999/',
      'https://[fe80::1%25eth0]/',
      `https://example.com/${'a'.repeat(9000)}`,
    ],
  ],
  ['other ports', [22, 25, 80, 5432, 6379, 8443, 0].map((port) => `https://example.com:${port}/`)],
];

describe('parseOutboundUrl', () => {
  it.each(BLOCKED)('refuses %s', (_name, urls) => {
    expect(urls.filter((url) => outcome(url) !== 'url_blocked')).toEqual([]);
  });

  it('accepts names up to the longest that there are', () => {
    const longest = `${'a'.repeat(63)}.${'b'.repeat(63)}.${'c'.repeat(63)}.${'d'.repeat(61)}`;
    expect(outcome(`https://${longest}/`)).toBe(`${longest}:443`);
    expect(outcome(`https://${longest}d/`)).toBe('url_blocked');
    expect(outcome('https://xn--bcher-kva.example./')).toBe('xn--bcher-kva.example.:443');
    expect(outcome('http://comfy_ui:8188/', ['comfy_ui:8188'])).toBe('comfy_ui:8188');
  });

  it('accepts public https addresses on port 443', () => {
    expect(outcome('https://v3.fal.media/files/a.png?x=1')).toBe('v3.fal.media:443');
    expect(outcome('https://example.com:443/')).toBe('example.com:443');
    expect(outcome('https://1.1.1.1/')).toBe('1.1.1.1:443');
    expect(outcome('https://[2606:4700:4700::1111]/')).toBe('2606:4700:4700::1111:443');
  });

  it('opens exactly the listed host and port of a private network', () => {
    const allowed = ['10.0.0.5:8188', 'comfy.internal:8443', '[::1]:9000', '127.0.0.1:80'];
    expect(outcome('http://10.0.0.5:8188/prompt', allowed)).toBe('10.0.0.5:8188');
    expect(outcome('https://comfy.internal:8443/', allowed)).toBe('comfy.internal:8443');
    expect(outcome('http://[::1]:9000/', allowed)).toBe('::1:9000');
    expect(outcome('http://127.0.0.1/', allowed)).toBe('127.0.0.1:80');
    expect(outcome('http://10.0.0.5/', allowed)).toBe('url_blocked');
    expect(outcome('http://10.0.0.6:8188/', allowed)).toBe('url_blocked');
    expect(outcome('https://10.0.0.5:8189/', allowed)).toBe('url_blocked');
    expect(outcome('ftp://10.0.0.5:8188/', allowed)).toBe('url_blocked');
    expect(outcome('http://comfy.internal.evil.com:8443/', allowed)).toBe('url_blocked');
  });

  it('does not open the metadata service even when it is listed', () => {
    expect(outcome('http://169.254.169.254:80/', ['169.254.169.254:80'])).toBe('url_blocked');
    const named = parseOutboundUrl('http://comfy.internal:8188/', ['comfy.internal:8188']);
    expect(named.mayConnectTo('10.0.0.5')).toBe(true);
    expect(named.mayConnectTo('169.254.169.254')).toBe(false);
  });

  it('never says why in words that repeat the address', () => {
    fc.assert(
      fc.property(fc.webUrl({ withQueryParameters: true }), (url) => {
        const secret = url.replace(/^https/, 'http');
        expect(() => parseOutboundUrl(secret, [])).toThrow(/^(only|the address|credentials)/);
      }),
    );
  });
});

describe('parseAllowedHost', () => {
  it('refuses typing errors instead of ignoring them', () => {
    for (const entry of [
      '',
      'host',
      'host:',
      ':80',
      'host:0',
      'host:70000',
      'http://host:80',
      'a b:80',
      'u@h:80',
      '::1:80',
      'h:80/x',
    ]) {
      expect(() => parseAllowedHost(entry)).toThrow('not a host:port pair');
    }
    expect(parseAllowedHost('LOCALHOST:8188')).toEqual({ hostname: 'localhost', port: 8188 });
  });
});
