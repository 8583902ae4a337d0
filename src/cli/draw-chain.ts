import { basename } from 'node:path';
import { type ChainNode, type ManifestAction } from '../provenance/domain/media-verifier.port.js';
import { statusWords } from '../provenance/domain/status-words.js';
import { printable } from './printable.js';

/** A hostile chain has thousands of nodes; a person reads some of them. */
const MAX_LINES = 400;

/** The chain as an indented tree, the asset itself first, each thing it was made from below it. */
export function drawChain(root: ChainNode, file: string): string[] {
  const lines: string[] = [];
  draw(root, { first: '', rest: '' }, printable(basename(file)), lines);
  if (lines.length <= MAX_LINES) return lines;
  return [...lines.slice(0, MAX_LINES), '... and more: see --json'];
}

function draw(node: ChainNode, prefix: { first: string; rest: string }, name: string, lines: string[]): void {
  if (lines.length > MAX_LINES) return;
  lines.push(`${prefix.first}${name}`);
  const bar = node.ingredients.length > 0 ? '\u2502 ' : '  ';
  for (const detail of details(node)) lines.push(`${prefix.rest}${bar}${detail}`);
  node.ingredients.forEach((child, i) => {
    const last = i === node.ingredients.length - 1;
    lines.push(`${prefix.rest}\u2502`);
    draw(
      child,
      {
        first: `${prefix.rest}${last ? '\u2514\u2500 ' : '\u251c\u2500 '}`,
        rest: `${prefix.rest}${last ? '   ' : '\u2502  '}`,
      },
      `${printable(child.title ?? 'untitled', 80)} (${printable(child.relationship ?? 'ingredient', 40)})`,
      lines,
    );
  });
}

function details(node: ChainNode): string[] {
  const lines = node.actions.map((action) => actionLine(action));
  if (node.manifestLabel === undefined) lines.push('carries no manifest');
  const { signer } = node;
  if (signer) {
    const at = signer.signedAt === undefined ? '' : `, ${printable(signer.signedAt, 40)}`;
    const by = signer.trustedBy === undefined ? '' : `, trusted by ${printable(signer.trustedBy, 80)}`;
    lines.push(`signed by ${quoted(signer.commonName ?? signer.issuer)}${at}${by}`);
  }
  for (const { code } of node.failures.slice(0, 10))
    lines.push(`FAILED ${printable(code, 80)}: ${statusWords(code)}`);
  return lines;
}

function actionLine({ action, digitalSourceType, softwareAgent, description }: ManifestAction): string {
  const parts = [printable(action, 60)];
  // The term of the IPTC vocabulary, without its address.
  if (digitalSourceType !== undefined) parts.push(printable(digitalSourceType.split('/').at(-1) ?? '', 60));
  if (softwareAgent !== undefined) parts.push(`with ${printable(softwareAgent, 60)}`);
  const text = parts.join(' \u00b7 ');
  return description === undefined ? text : `${text}: ${printable(description, 120)}`;
}

function quoted(name: string | undefined): string {
  return name === undefined ? 'an unnamed signer' : `"${printable(name, 80)}"`;
}
