import { type LookupFunction, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { urlBlocked } from './outbound-error.js';
import { type OutboundTarget } from './outbound-target.js';
import { type AddressResolver } from './resolve-name.js';

/**
 * A connector that can only reach addresses which the target allows.
 *
 * The check sits in the lookup of the very connection attempt, so there is no second resolution in which a name
 * server could answer differently (DNS rebinding). Addresses that are not allowed are dropped; a host with none
 * left is refused without opening a socket. The peer of the finished connection is checked once more, which also
 * covers an address in the URL itself, for which the socket never calls the lookup.
 * @param onConnected called when a connection exists (for https after the handshake): from then on the request
 *   may have left this machine
 */
export function pinnedConnector(
  target: OutboundTarget,
  resolver: AddressResolver,
  connectTimeoutMs: number,
  onConnected: (socket: Socket) => void,
): buildConnector.connector {
  const connect = buildConnector({
    lookup: checkedLookup(target, resolver),
    timeout: connectTimeoutMs,
    maxCachedSessions: 0,
  });
  return (options, callback) => {
    connect(options, (...args) => {
      const [error, socket] = args;
      if (error) return callback(error, null);
      const refusal = refusePeer(target, socket);
      if (refusal !== undefined) {
        socket.destroy();
        return callback(refusal, null);
      }
      onConnected(socket);
      return callback(null, socket);
    });
  };
}

function refusePeer(target: OutboundTarget, socket: Socket): Error | undefined {
  const address = socket.remoteAddress;
  if (address === undefined) return new Error('the peer closed the connection at once');
  return target.mayConnectTo(address) ? undefined : urlBlocked('the address is not public');
}

function checkedLookup(target: OutboundTarget, resolver: AddressResolver): LookupFunction {
  return (hostname, options, callback) => {
    resolver(hostname).then(
      (addresses) => {
        const allowed = addresses.filter(({ address }) => target.mayConnectTo(address));
        const first = allowed[0];
        if (first === undefined) callback(urlBlocked('the host has no public address'), '');
        else if (options.all === true) callback(null, allowed);
        else callback(null, first.address, first.family);
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, ''),
    );
  };
}
