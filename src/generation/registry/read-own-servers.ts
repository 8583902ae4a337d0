import { readSecretFile } from '../../config/secret-file.js';
import { NO_OWN_SERVERS, type OwnServers, ownServersSchema } from './own-servers.js';

/**
 * Reads the file of own servers. It may hold keys, so it is read like a secret: other users must not be able to.
 * @throws Error that names the wrong places, never their values; a wrong file stops the start
 */
export function readOwnServers(path: string | undefined): OwnServers {
  if (path === undefined) return NO_OWN_SERVERS;
  const text = readSecretFile(path);
  if (text === undefined) throw new Error(`There is no file of own servers at ${path}.`);
  const parsed = ownServersSchema.safeParse(parseJson(text, path));
  if (parsed.success) return parsed.data;
  const places = parsed.error.issues.map((issue) => `  ${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The file of own servers is not valid:\n${places.join('\n')}`);
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message repeats a part of the file, and that may be a key.
    throw new Error(`The file of own servers at ${path} is not JSON.`);
  }
}
