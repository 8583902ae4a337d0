import { readFile } from 'node:fs/promises';
import { type Socket } from 'node:net';

/** Linux's own account of its connections, one a line: number, local, remote, state, "bytes not acknowledged:bytes not read". */
const TABLES = ['/proc/net/tcp', '/proc/net/tcp6'];

/**
 * Whether the other side has yet to acknowledge something that was sent. Where the system does not say, nothing is
 * taken for outstanding. Connections are told by their two ports: a second one with the same ports and other addresses
 * can only make us take longer.
 */
export async function hasUnacknowledged({ localPort, remotePort }: Socket): Promise<boolean> {
  if (localPort === undefined || remotePort === undefined) return false;
  const tables = await Promise.all(TABLES.map((path) => readFile(path, 'latin1').catch(() => '')));
  return tables.some((table) => hasOutstanding(table, localPort, remotePort));
}

export function hasOutstanding(table: string, localPort: number, remotePort: number): boolean {
  const [local, remote] = [localPort, remotePort].map((port) =>
    port.toString(16).toUpperCase().padStart(4, '0'),
  );
  return table.split('\n').some((line) => {
    const [, here = '', there = '', , queues = ''] = line.trim().split(/\s+/);
    const isMeant = here.endsWith(`:${local}`) && there.endsWith(`:${remote}`);
    return isMeant && Number.parseInt(queues, 16) > 0;
  });
}
