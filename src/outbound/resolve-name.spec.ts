import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseOutboundUrl } from './outbound-target.js';
import { nameServerResolver, resolverFor } from './resolve-name.js';

const HEADER_BYTES = 12;
const TYPE_A = 1;
const PUBLIC = [93, 184, 215, 14];

let server: Socket;
let address: string;
const asked: string[] = [];

/** A name server that knows one address, says nothing of names under `silent.test`, and of others that there are none. */
beforeEach(async () => {
  asked.length = 0;
  server = createSocket('udp4', (query, peer) => {
    const { name, type } = questionOf(query);
    asked.push(name);
    if (!name.endsWith('silent.test')) server.send(answerTo(query, name, type), peer.port, peer.address);
  });
  server.bind(0, '127.0.0.1');
  await once(server, 'listening');
  address = `127.0.0.1:${server.address().port}`;
});
afterEach(() => {
  server.close();
});

/** RFC 1035 section 4.1.2: labels with their lengths, a zero, type and class. */
function questionOf(query: Buffer): { name: string; type: number } {
  const labels: string[] = [];
  let at = HEADER_BYTES;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1) };
}

/** The question with the header of an answer, and an address where there is one. */
function answerTo(query: Buffer, name: string, type: number): Buffer {
  const questionEnd = query.indexOf(0, HEADER_BYTES) + 5;
  const has = name === 'known.example' && type === TYPE_A;
  const head = Buffer.from(query.subarray(0, HEADER_BYTES));
  head.writeUInt16BE(name === 'known.example' ? 0x8180 : 0x8183, 2);
  head.writeUInt16BE(has ? 1 : 0, 6);
  head.writeUInt32BE(0, 8);
  const record = Buffer.from([0xc0, HEADER_BYTES, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4, ...PUBLIC]);
  return Buffer.concat([head, query.subarray(HEADER_BYTES, questionEnd), has ? record : Buffer.alloc(0)]);
}

describe('names that anybody may have chosen', () => {
  it('are asked for at the name server, for both families', async () => {
    await expect(nameServerResolver([address])('known.example')).resolves.toEqual([
      { address: PUBLIC.join('.'), family: 4 },
    ]);
    expect(asked).toEqual(['known.example', 'known.example']);
    await expect(nameServerResolver([address])('nobody.example')).rejects.toMatchObject({
      code: 'ENOTFOUND',
    });
  });

  it('hold up nobody when their servers say nothing', async () => {
    const resolve = nameServerResolver([address]);
    let ended = 0;
    const silent = Array.from({ length: 40 }, (_, index) =>
      resolve(`a${index}.silent.test`).catch(() => (ended += 1)),
    );
    await resolve('known.example');
    // The one that the operator chose is looked up by the system, whose threads nobody holds.
    const own = parseOutboundUrl('http://localhost:8188/', ['localhost:8188']);
    expect((await resolverFor(own)(own.hostname)).length).toBeGreaterThan(0);
    expect(ended).toBe(0);
    await Promise.all(silent);
  }, 30_000);

  it('are never those of this machine', () => {
    for (const url of ['https://localhost/', 'https://localhost./', 'https://api.localhost/'])
      expect(() => parseOutboundUrl(url, [])).toThrow('the address is not public');
  });
});
