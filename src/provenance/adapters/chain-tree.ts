import {
  type ChainNode,
  type ManifestAction,
  type ManifestAssertion,
  type NamedActor,
  type ValidationStatus,
} from '../domain/media-verifier.port.js';
import {
  actionsData,
  type ManifestStoreReport,
  type ReportedIngredient,
  type ReportedManifest,
  type ReportedStatusCodes,
  type ReportedValidation,
} from './manifest-store-schema.js';

/** The depth at which the C2PA library itself stops. */
const MAX_DEPTH = 200;
/** The chain is a tree, the manifests a graph: a diamond of n levels would unfold to 2^n nodes. */
const MAX_NODES = 5000;
const ACTIONS_LABEL = /^c2pa\.actions(\.v2)?(__\d+)?$/;
/** The bond between manifest and bytes: checked by the library, of no interest to a reader. It reports only some. */
const HARD_BINDING_LABEL = /^c2pa\.hash\./;
/** Shown as named actors. */
const IDENTITY_LABEL = /^cawg\.identity(__\d+)?$/;

/** `self#jumbf=/c2pa/<manifest>/c2pa.assertions/<assertion>` (C2PA 2.4 section 6.8). */
const REDACTED = /^self#jumbf=\/c2pa\/([^/]+)\/c2pa\.assertions\/([^/]+)$/;

/** Named actors by the label of the manifest that names them. */
export type IdentitiesByManifest = ReadonlyMap<string, readonly NamedActor[]>;

/** The chain of a file as a tree, the asset itself at the root. */
export function chainTree(
  report: ManifestStoreReport,
  mediaType: string,
  identities: IdentitiesByManifest = new Map(),
): ChainNode | undefined {
  const label = report.active_manifest;
  const builder = new TreeBuilder(report, identities);
  return label !== undefined && builder.knows(label) ? builder.root(label, mediaType) : undefined;
}

class TreeBuilder {
  private nodes = 0;
  /** Labels are hostile: looked up in a map, "__proto__" is a label like any other. */
  private readonly manifests: ReadonlyMap<string, ReportedManifest>;
  /** Failures by JUMBF URI of the ingredient assertion which they speak about. */
  private readonly ingredientFailures = new Map<string, ValidationStatus[]>();

  /** Labels of assertions that were taken out, by the label of the manifest that had them. */
  private readonly redacted = new Map<string, string[]>();

  constructor(
    private readonly report: ManifestStoreReport,
    private readonly identities: IdentitiesByManifest,
  ) {
    this.manifests = new Map(Object.entries(report.manifests));
    this.collectDeltas(report.validation_results);
    for (const [label, manifest] of this.manifests) {
      for (const uri of manifest.redactions ?? []) this.noteRedaction(uri, label);
      for (const ingredient of manifest.ingredients ?? []) this.collectDeltas(ingredient.validation_results);
    }
  }

  knows(label: string): boolean {
    return this.manifests.has(label);
  }

  root(label: string, mediaType: string): ChainNode {
    const node = this.manifestNode(label, [], undefined);
    const failures = failuresOf(this.report.validation_results?.activeManifest);
    return { ...node, mediaType, failures: distinct([...failures, ...node.failures]) };
  }

  private collectDeltas(validation: ReportedValidation): void {
    for (const delta of validation?.ingredientDeltas ?? []) {
      const known = this.ingredientFailures.get(delta.ingredientAssertionURI) ?? [];
      known.push(...failuresOf(delta.validationDeltas));
      this.ingredientFailures.set(delta.ingredientAssertionURI, known);
    }
  }

  /** What cannot be taken apart is told of the manifest that says it, with an empty label. */
  private noteRedaction(uri: string, declaredBy: string): void {
    const [, label = declaredBy, assertion = ''] = REDACTED.exec(uri) ?? [];
    this.redacted.set(label, [...(this.redacted.get(label) ?? []), assertion]);
  }

  private manifestNode(label: string, path: readonly string[], relationship: string | undefined): ChainNode {
    this.nodes += 1;
    const manifest = this.manifests.get(label);
    const below = [...path, label];
    const cut = manifest !== undefined && this.cutOff(label, path);
    const redacted = this.redacted.get(label);
    return {
      manifestLabel: label,
      title: manifest?.title,
      mediaType: manifest?.format,
      relationship,
      claimGenerator: manifest && claimGenerator(manifest),
      signer: manifest && signer(manifest),
      actions: manifest ? actions(manifest) : [],
      assertions: manifest ? assertions(manifest) : [],
      ...(redacted === undefined ? {} : { redacted }),
      identities: this.identities.get(label) ?? [],
      allActionsIncluded: manifest && allActionsIncluded(manifest),
      dataTypes: [],
      description: undefined,
      metadata: undefined,
      failures: cut ? [chainCut(label)] : [],
      ingredients: cut ? [] : (manifest?.ingredients ?? []).map((part) => this.ingredientNode(part, below)),
    };
  }

  private cutOff(label: string, path: readonly string[]): boolean {
    return path.includes(label) || path.length >= MAX_DEPTH || this.nodes > MAX_NODES;
  }

  private ingredientNode(ingredient: ReportedIngredient, path: readonly string[]): ChainNode {
    const node =
      ingredient.active_manifest === undefined
        ? this.bareNode(ingredient)
        : this.manifestNode(ingredient.active_manifest, path, ingredient.relationship);
    const uri = `self#jumbf=/c2pa/${path.at(-1) ?? ''}/c2pa.assertions/${ingredient.label ?? ''}`;
    const recorded = failuresOf(ingredient.validation_results?.activeManifest);
    const older = (ingredient.validation_status ?? []).map((status) => asStatus(status, 'failure'));
    return {
      ...node,
      title: ingredient.title ?? node.title,
      mediaType: ingredient.format ?? node.mediaType,
      dataTypes: (ingredient.data_types ?? []).map(({ type }) => type),
      description: ingredient.description,
      metadata: ingredient.metadata,
      failures: distinct([
        ...recorded,
        ...older,
        ...(this.ingredientFailures.get(uri) ?? []),
        ...node.failures,
      ]),
    };
  }

  private bareNode(ingredient: ReportedIngredient): ChainNode {
    this.nodes += 1;
    return {
      manifestLabel: undefined,
      title: ingredient.title,
      mediaType: ingredient.format,
      relationship: ingredient.relationship,
      claimGenerator: undefined,
      signer: undefined,
      actions: [],
      assertions: [],
      identities: [],
      allActionsIncluded: undefined,
      dataTypes: [],
      description: undefined,
      metadata: undefined,
      failures: [],
      ingredients: [],
    };
  }
}

function chainCut(label: string): ValidationStatus {
  return {
    code: 'com.colophon.chain.cut',
    outcome: 'failure',
    url: `self#jumbf=/c2pa/${label}`,
    explanation: 'The chain is cyclic, too deep or too large here and is not followed further.',
  };
}

function claimGenerator(manifest: ReportedManifest): string | undefined {
  const info = manifest.claim_generator_info?.[0];
  return info?.name === undefined ? manifest.claim_generator : [info.name, info.version].join(' ').trim();
}

function signer(manifest: ReportedManifest): ChainNode['signer'] {
  const info = manifest.signature_info;
  return (
    info && { commonName: info.common_name, issuer: info.issuer, algorithm: info.alg, signedAt: info.time }
  );
}

function attribution(
  manifest: ReportedManifest,
  created: boolean | undefined,
): ManifestAssertion['attributedTo'] {
  // Claims before version 2 do not distinguish.
  if (manifest.claim_version !== 2) return 'unknown';
  return created === true ? 'created' : 'gathered';
}

function assertions(manifest: ReportedManifest): ManifestAssertion[] {
  return (manifest.assertions ?? [])
    .filter(
      ({ label }) => ![ACTIONS_LABEL, HARD_BINDING_LABEL, IDENTITY_LABEL].some((shown) => shown.test(label)),
    )
    .map(({ label, data, created }) => ({ label, data, attributedTo: attribution(manifest, created) }));
}

/** `false` as soon as one of several assertions says so. */
function allActionsIncluded(manifest: ReportedManifest): boolean | undefined {
  const said = (manifest.assertions ?? [])
    .filter(({ label }) => ACTIONS_LABEL.test(label))
    .map(({ data }) => actionsData.safeParse(data).data?.allActionsIncluded);
  if (said.length === 0 || said.includes(undefined)) return undefined;
  return said.every((each) => each === true);
}

function actions(manifest: ReportedManifest): ManifestAction[] {
  return (manifest.assertions ?? [])
    .filter((assertion) => ACTIONS_LABEL.test(assertion.label))
    .flatMap(({ data, created }) => {
      const parsed = actionsData.safeParse(data);
      const attributedTo = attribution(manifest, created);
      return (parsed.data?.actions ?? []).map(({ softwareAgent, ...action }) => ({
        action: action.action,
        digitalSourceType: action.digitalSourceType,
        when: action.when,
        softwareAgent: agentName(softwareAgent),
        description: action.description,
        attributedTo,
      }));
    });
}

function agentName(
  agent: string | { name?: string | undefined; version?: string | undefined } | undefined,
): string | undefined {
  if (typeof agent !== 'object') return agent;
  return [agent.name, agent.version].filter((part) => part !== undefined).join(' ');
}

/** Every status of one validation, failures first. */
export function allStatuses(codes: ReportedStatusCodes | undefined): ValidationStatus[] {
  return (['failure', 'informational', 'success'] as const).flatMap((outcome) =>
    (codes?.[outcome] ?? []).map((status) => asStatus(status, outcome)),
  );
}

function failuresOf(codes: ReportedStatusCodes | undefined): ValidationStatus[] {
  return (codes?.failure ?? []).map((status) => asStatus(status, 'failure'));
}

function asStatus(
  status: { code: string; url?: string | undefined; explanation?: string | undefined },
  outcome: ValidationStatus['outcome'],
): ValidationStatus {
  return { code: status.code, outcome, url: status.url, explanation: status.explanation };
}

function distinct(statuses: readonly ValidationStatus[]): ValidationStatus[] {
  const seen = new Map(statuses.map((status) => [`${status.code} ${status.url ?? ''}`, status]));
  return [...seen.values()];
}
