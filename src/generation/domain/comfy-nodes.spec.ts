import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { KNOWN_NODES } from './comfy-nodes.js';

describe('the known nodes of ComfyUI', () => {
  it('are those that the documentation names, and no others', () => {
    const document = readFileSync(new URL('../../../docs/providers.md', import.meta.url), 'utf8');
    const listed = ['Load weights or pictures: ', 'Load nothing: '].flatMap((lead) => {
      const line = document.split('\n').find((candidate) => candidate.startsWith(lead)) ?? '';
      return [...line.matchAll(/`([A-Za-z0-9]+)`/g)].map((match) => match[1]);
    });
    expect(listed.sort()).toEqual([...KNOWN_NODES.keys()].sort());
  });
});
