import { FakeFal } from './fake-fal.js';

/** `node run-fake-fal.js [port]`: prints the settings that point the program at this fake, until it is stopped. */
const fake = await FakeFal.start({ port: Number(process.argv[2] ?? 0) });
process.stdout.write(`FAL_BASE_URL=${fake.origin}\nCOLOPHON_OUTBOUND_ALLOWED_HOSTS=${fake.hostPort}\n`);
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void fake.stop());
