import { type FileVerification } from '../../provenance/domain/file-verification.js';
import { type ChainNode } from '../../provenance/domain/media-verifier.port.js';
import { type DossierPicture } from './dossier.js';

/** What the certificate of provenance of one asset says: one page. */
export interface CertificateFacts {
  readonly asset: {
    readonly id: string;
    readonly title: string;
    readonly mediaType: string;
    readonly sizeBytes: number;
    /** Absent where the file has no size in pixels. */
    readonly width: number | undefined;
    readonly height: number | undefined;
    readonly durationMs: number | undefined;
    readonly mode: 'live' | 'test';
  };
  readonly result: FileVerification;
  readonly picture: DossierPicture | undefined;
  /** RFC 3339: when the file was verified for this page. */
  readonly verifiedAt: string;
  readonly product: { readonly name: string; readonly version: string };
}

const MAX_MAKING_LINES = 3;
const MAX_LINE_LENGTH = 150;

/** How it was made, newest first, in at most three lines; what the manifest says, not what we know. */
export function makingLines(chain: ChainNode | undefined): string[] {
  const steps = chain === undefined ? [] : stepsOf(chain);
  const lines = steps.slice(0, MAX_MAKING_LINES);
  if (steps.length <= MAX_MAKING_LINES) return lines;
  return [
    ...lines.slice(0, MAX_MAKING_LINES - 1),
    `and ${steps.length - MAX_MAKING_LINES + 1} earlier steps`,
  ];
}

function stepsOf(node: ChainNode): string[] {
  const steps: string[] = [];
  for (let at: ChainNode | undefined = node; at !== undefined; at = parentOf(at)) {
    const actions = at.actions.filter(({ action }) => action !== 'c2pa.opened').reverse();
    for (const { action, description, softwareAgent } of actions) {
      const what = description ?? action;
      steps.push(
        (softwareAgent === undefined ? what : `${what}, with ${softwareAgent}`).slice(0, MAX_LINE_LENGTH),
      );
    }
  }
  return steps;
}

function parentOf({ ingredients }: ChainNode): ChainNode | undefined {
  return ingredients.find(({ relationship }) => relationship === 'parentOf');
}
