import { type AssetDossier, type DossierGap } from './dossier.js';

/** What a reader must know before anything else: open, unknown, and worth noting. Most important first. */
export function findGaps(dossier: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  const gaps = [
    ...modeGaps(dossier),
    ...approvalGaps(dossier),
    ...licenseGaps(dossier),
    ...originGaps(dossier),
    ...logGaps(dossier),
  ];
  const order = { open: 0, unknown: 1, note: 2 };
  return gaps.sort((a, b) => order[a.severity] - order[b.severity]);
}

function modeGaps({ asset }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  return asset.mode === 'test'
    ? [{ severity: 'open', text: 'This asset was made with a test key. It is not meant for publication.' }]
    : [];
}

function approvalGaps({ review, release, verification }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  const gaps: DossierGap[] = [];
  if (verification.verdict === 'broken' || verification.verdict === 'none') {
    gaps.push({ severity: 'open', text: 'The manifest of the file does not verify.' });
  }
  if (!review) gaps.push({ severity: 'open', text: 'No second person has reviewed this asset.' });
  else if (review.decision === 'reject')
    gaps.push({ severity: 'open', text: 'A reviewer rejected this asset.' });
  if (!release) gaps.push({ severity: 'open', text: 'The asset has not been released for publication.' });
  return gaps;
}

function licenseGaps({ runs, models }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  const gaps: DossierGap[] = [];
  for (const { clearance, waivers, id } of runs) {
    if (clearance.decision === 'review') {
      const waived =
        waivers.length > 0
          ? `accepted by waiver until ${waivers.at(-1)?.expiresAt.slice(0, 10) ?? ''}`
          : 'not yet accepted by anyone';
      gaps.push({
        severity: waivers.length > 0 ? 'note' : 'open',
        text: `The license check of ${id} left questions open: ${waived}.`,
      });
    }
    for (const obligation of clearance.obligations) {
      if (obligation.due === 'before-publication' || obligation.due === 'on-publication') {
        gaps.push({ severity: 'note', text: `Owed ${obligation.due.replace('-', ' ')}: ${obligation.text}` });
      }
    }
  }
  for (const model of models) {
    if (model.trainingData.disclosure === 'unknown') {
      gaps.push({
        severity: 'unknown',
        text: `Nothing is known of the training data of ${model.name} (${model.listingId}).`,
      });
    }
    if (model.indemnity.startsWith('Offered: unknown')) {
      gaps.push({
        severity: 'unknown',
        text: `Whether ${model.vendor} indemnifies for ${model.name} is not known.`,
      });
    }
  }
  return gaps;
}

function originGaps({ chain, contributions }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  const gaps: DossierGap[] = [];
  for (const asset of chain) {
    if (asset.origin === 'upload') {
      gaps.push({
        severity: 'unknown',
        text: `${asset.id} was received from outside. Who made it is not recorded; its rights are as declared by the sender.`,
      });
    }
  }
  if (contributions.length === 0) gaps.push({ severity: 'note', text: 'No human contribution is recorded.' });
  for (const contribution of contributions) {
    if (contribution.statement === undefined)
      gaps.push({ severity: 'note', text: `The statement of ${contribution.id} was erased.` });
    if (contribution.capture === 'declared_later') {
      gaps.push({ severity: 'note', text: `${contribution.id} was declared after the fact.` });
    }
  }
  return gaps;
}

function logGaps({ log }: Omit<AssetDossier, 'gaps'>): DossierGap[] {
  const signatures = log.checkpointNote.split('\n').filter((line) => line.startsWith('\u2014 ')).length;
  return signatures > 1
    ? []
    : [
        {
          severity: 'note',
          text: 'No witness has cosigned the checkpoint, and no outside authority has time-stamped it: order and content are proved by the key of this installation alone.',
        },
      ];
}
