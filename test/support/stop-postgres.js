import { rmSync } from 'node:fs';

export default async function stopPostgres() {
  const { server, home } = globalThis.__colophonTestPostgres ?? {};
  await server?.stop();
  if (home) rmSync(home, { recursive: true, force: true });
}
