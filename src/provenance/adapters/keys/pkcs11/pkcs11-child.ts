/**
 * The program of the child process that talks to the token. The vendor's library runs here and nowhere else: it may
 * block, leak or crash without taking the service with it, and the PIN is in this process only.
 */
import { messageOf } from './pkcs11-library.js';
import { type Pkcs11Answer, Pkcs11Failure, type Pkcs11Request } from './pkcs11-protocol.js';
import { Pkcs11Token } from './pkcs11-token.js';

const tokens = new Map<string, Promise<Pkcs11Token>>();

async function work({ id, setup, task }: Pkcs11Request): Promise<Pkcs11Answer> {
  const { token = '', serial = '' } = task.key;
  const name = JSON.stringify([token, serial]);
  try {
    const open = tokens.get(name) ?? Pkcs11Token.open(setup, task.key);
    tokens.set(name, open);
    const value = (await open).run(task);
    return { id, ok: true, value: value.toString('base64') };
  } catch (error) {
    const problem = error instanceof Pkcs11Failure ? error.problem : 'token_failed';
    return { id, ok: false, problem, detail: messageOf(error) };
  }
}

/** One at a time: a session can sign one thing at once. */
let last: Promise<void> = Promise.resolve();
process.on('message', (request: Pkcs11Request) => {
  last = last.then(async () => {
    const answer = await work(request);
    process.send?.(answer);
  });
});
// The parent is gone: nobody waits for an answer.
process.on('disconnect', () => process.exit(0));
