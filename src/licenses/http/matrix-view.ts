import { publicId } from '../../shared/ids.js';
import { type DecidedMatrix } from '../application/decide-matrix.js';
import { type ReadMatrix } from '../application/read-matrix.js';
import { type Finding, type Obligation } from '../domain/finding.js';
import { countDecisions, decidingFindings, Interned, type MatrixCell } from '../domain/matrix.js';

/**
 * All cells. Many of them say the same, so findings and obligations stand once and a cell names them by their place in
 * these lists.
 */
export function matrixView({ id, input, inputSha256, resultSha256, cells, createdAt }: DecidedMatrix) {
  const findings = new Interned<Finding>();
  const obligations = new Interned<Obligation>();
  return {
    id: publicId('clearanceMatrix', id),
    engineVersion: input.engineVersion,
    inputSha256,
    resultSha256,
    registrySha256: input.registrySha256,
    /** Asked of every cell after the licenses; null when there were none. */
    policies: input.policies ?? null,
    createdAt: createdAt.toISOString(),
    summary: { cells: cells.length, ...countDecisions(cells) },
    cells: cells.map((cell) => cellView(cell, findings, obligations)),
    findings: findings.items,
    obligations: obligations.items,
  };
}

function cellView(
  { alternative, audience, purpose, result }: MatrixCell,
  findings: Interned<Finding>,
  obligations: Interned<Obligation>,
) {
  const { decision, indemnity, inputSha256, termsSha256 } = result;
  return {
    alternative,
    audience,
    purpose,
    decision,
    /** Those that decide: notes are in the answer to a question about the cell alone. */
    findings: decidingFindings(result).map((finding) => findings.place(finding)),
    obligationCount: result.obligations.length,
    obligations: result.obligations.map((obligation) => obligations.place(obligation)),
    indemnity,
    inputSha256,
    termsSha256,
  };
}

export function readMatrixView(matrix: ReadMatrix) {
  return {
    ...matrixView(matrix),
    createdBy: publicId('principal', matrix.createdBy),
    question: matrix.input,
    same: matrix.same,
    changedListings: matrix.changedListings,
  };
}
