import { BUNDLE_PATHS } from '../../domain/bundle-format.js';
import { ATTACHED } from './attached-evidence.js';
import { FACTS } from './check-report-json.js';
import { type ReportVerification } from './report-verification.js';

/** Where in a PDF lies what has a path of its own in a bundle. */
const NAMES: readonly (readonly [pattern: RegExp, name: string])[] = [
  [new RegExp(`^${BUNDLE_PATHS.checkpoint}$|^${BUNDLE_PATHS.stampedText}$`), ATTACHED.checkpoint],
  [new RegExp(`^${BUNDLE_PATHS.vkey}$`), ATTACHED.vkey],
  [new RegExp(`^${BUNDLE_PATHS.index}$|^${BUNDLE_PATHS.policy}$`), FACTS.dossier.json],
  [/^(?:entries|proofs|openings)\/\d+\.[a-z-]+$/, ATTACHED.entries],
];

/** The checks are those of bundles and speak of them; here the same is said of a report. */
export function inReportWords(result: ReportVerification): ReportVerification {
  return {
    ...result,
    statements: result.statements.map(({ ok, text }) => ({ ok, text: words(text) })),
    findings: result.findings.map(({ path, text }) => ({ path: path && nameOf(path), text: words(text) })),
    notProved: [...new Set(result.notProved.map(words))],
  };
}

function nameOf(path: string): string {
  return NAMES.find(([pattern]) => pattern.test(path))?.[1] ?? path;
}

function words(text: string): string {
  return text
    .replaceAll('bundle.json', FACTS.dossier.json)
    .replaceAll(BUNDLE_PATHS.checkpoint, ATTACHED.checkpoint)
    .replaceAll(BUNDLE_PATHS.policy, 'the one that the cosignatures were checked by')
    .replaceAll(/\b(?:the|this) bundle\b/g, 'this report')
    .replaceAll(/\bThe bundle\b/g, 'This report');
}
