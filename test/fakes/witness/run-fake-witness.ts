import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import {
  COSIGNATURE_V1,
  formatPrivateKey,
  generatePrivateKey,
  type NotePrivateKey,
  parsePrivateKey,
} from '../../../src/audit/core/note-key.js';
import { FakeWitness } from './fake-witness.js';

/**
 * `node run-fake-witness.js [port [state file [log vkey ...]]]`: prints a policy and the settings that point the
 * program at this fake, until it is stopped. With a state file (and its key beside it) it goes on where it was.
 */
const [port = '0', stateFile = '', ...logs] = process.argv.slice(2);
const fake = await FakeWitness.start({
  port: Number(port),
  logs,
  ...(stateFile !== '' && { stateFile, key: keyOf(`${stateFile}.key`) }),
});
process.stdout.write(
  `# COLOPHON_OUTBOUND_ALLOWED_HOSTS=${fake.hostPort}\n${fake.policyLine('fake')}\nquorum fake\n`,
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void fake.stop());

function keyOf(file: string): NotePrivateKey {
  if (!existsSync(file)) {
    writeFileSync(file, formatPrivateKey(generatePrivateKey('witness.example/fake', COSIGNATURE_V1)), {
      mode: 0o600,
    });
  }
  return parsePrivateKey(readFileSync(file, 'utf8'));
}
