import { writeFileSync } from 'node:fs';
import { FakeAuthority } from './fake-authority.js';

/**
 * `node run-fake-authority.js ROOTS.pem [port]`: writes its root to the file, prints the settings that point the
 * program at this fake, and answers until it is stopped.
 */
const [rootsFile = 'fake-tsa-root.pem', port = '0'] = process.argv.slice(2);
const fake = await FakeAuthority.start({ port: Number(port) });
writeFileSync(rootsFile, fake.rootsPem);
process.stdout.write(
  `COLOPHON_TSA_URL=${fake.url}\nCOLOPHON_TSA_ROOTS=${rootsFile}\nCOLOPHON_OUTBOUND_ALLOWED_HOSTS=${fake.hostPort}\n`,
);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void fake.stop());
