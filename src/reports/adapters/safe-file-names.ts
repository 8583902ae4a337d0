const MAX_NAME_LENGTH = 80;

/**
 * Names that every file system, shell and zip tool takes as they are: letters, digits, dot, dash and underscore. Names
 * that become equal, also on systems without upper case, get a number.
 */
export function safeFileNames(names: readonly string[]): string[] {
  const taken = new Set<string>();
  return names.map((name) => {
    const { stem, extension } = split(name);
    for (let number = 1; ; number++) {
      const candidate = number === 1 ? `${stem}${extension}` : `${stem}-${number}${extension}`;
      if (taken.has(candidate.toLowerCase())) continue;
      taken.add(candidate.toLowerCase());
      return candidate;
    }
  });
}

function split(name: string): { stem: string; extension: string } {
  const safe = name
    .normalize('NFKD')
    .replace(/\p{Mn}/gu, '')
    .replace(/[^A-Za-z0-9._-]+/g, '_')
    .replace(/\.{2,}/g, '.')
    .replace(/^[._-]+|[._-]+$/g, '');
  const extension = /\.[A-Za-z0-9]{1,8}$/.exec(safe)?.[0] ?? '';
  const stem = safe.slice(0, safe.length - extension.length).slice(0, MAX_NAME_LENGTH);
  return { stem: stem === '' ? 'file' : stem, extension };
}
