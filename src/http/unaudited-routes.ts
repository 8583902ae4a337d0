import { isApiDocumentation } from './openapi.js';
import { type Route } from './route-table.js';

/** What the published list says of the routes that the documentation adds to the router. */
const DOCUMENTATION = 'The description of this API, the same for everybody.';

/** A route with its one declaration: entry types, or the reason why there are none. */
export interface DeclaredRoute {
  readonly method: string;
  /** As the contract shows it, e.g. `/v1/assets/{id}/content`. */
  readonly path: string;
  readonly declared: { readonly writes: readonly string[] } | { readonly unauditedBecause: string };
}

/** @throws Error that names the routes that say nothing about themselves, or say it twice. */
export function declaredRoutes(routes: readonly Route[]): DeclaredRoute[] {
  const own = routes.filter(({ path }) => !isApiDocumentation(path));
  const wrong = own.filter(({ audit }) => audit.length !== 1);
  if (wrong.length > 0) {
    const names = wrong.map(({ method, path, audit }) => `${method} ${path} (${audit.length})`).join(', ');
    throw new Error(`Each route carries exactly one of @Audited and @Unaudited. Not so: ${names}`);
  }
  const declared = own.map(({ method, path, audit: [declaration] }) => ({
    method,
    path: path.replaceAll(/:(\w+)/g, '{$1}'),
    declared: declaration as DeclaredRoute['declared'],
  }));
  const documentation = ['/docs/*', '/openapi.json'].map((path) => ({
    method: 'GET',
    path,
    declared: { unauditedBecause: DOCUMENTATION },
  }));
  return [...declared, ...documentation];
}

/**
 * The published page with its two tables as the routes say it.
 *
 * @param page Markdown in which `<!-- unaudited -->` and `<!-- audited -->` stand around the tables
 * @throws Error when the marks are missing
 */
export function withRouteTables(page: string, routes: readonly DeclaredRoute[]): string {
  const unaudited = routes.flatMap(({ method, path, declared }) =>
    'unauditedBecause' in declared ? [[`\`${method} ${path}\``, declared.unauditedBecause]] : [],
  );
  const audited = routes.flatMap(({ method, path, declared }) => {
    if (!('writes' in declared)) return [];
    return [[`\`${method} ${path}\``, declared.writes.map((type) => `\`${type}\``).join(', ')]];
  });
  const first = replaceBetween(page, 'unaudited', table(['route', 'why it writes no entry'], unaudited));
  return replaceBetween(first, 'audited', table(['route', 'entries'], audited));
}

function replaceBetween(page: string, name: string, content: string): string {
  const mark = `<!-- ${name} -->`;
  const [before, , after, ...more] = page.split(mark);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(`The page must have ${mark} twice.`);
  return `${before}${mark}\n\n${content}\n${mark}${after}`;
}

/** A Markdown table with columns of equal width, as the formatter writes it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => (row[column] ?? '').length)),
  );
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, column) => (cells[column] ?? '').padEnd(width)).join(' | ')} |\n`;
  return line(head) + line(widths.map((width) => '-'.repeat(width))) + rows.map(line).join('');
}
