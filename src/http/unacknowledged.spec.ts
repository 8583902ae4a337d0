import { createServer, type AddressInfo, connect, type Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { eventually } from '../../test/support/eventually.js';
import { hasOutstanding, hasUnacknowledged } from './unacknowledged.js';

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000     0        0 1 1 0 20 4 30 10 -1
   1: 0100007F:1F90 0A00000A:D432 01 000003E8:00000000 01:00000014 00000003     0        0 2 2 0 20 4 30 10 -1
`;

describe('what was sent and not acknowledged', () => {
  it('is read from the table of connections, by their ports', () => {
    expect(hasOutstanding(TABLE, 8080, 0xd431)).toBe(false);
    expect(hasOutstanding(TABLE, 8080, 0xd432)).toBe(true);
    expect(hasOutstanding(TABLE, 8081, 0xd432)).toBe(false);
    expect(hasOutstanding('', 8080, 0xd432)).toBe(false);
  });

  it('is nothing where both sides are well', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const accepted = new Promise<Socket>((taken) => server.once('connection', taken));
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    const ours = await accepted;
    await new Promise<void>((written) => ours.write('x', () => written()));
    await eventually('it is acknowledged', async () => !(await hasUnacknowledged(ours)) || undefined);
    client.destroy();
    ours.destroy();
    server.close();
  });
});
