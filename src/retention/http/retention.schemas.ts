import { z } from 'zod';
import { RETENTION_KINDS, RETENTION_SINCE } from '../domain/retention-rule.js';

const MAX_DAYS = 36_500;

const projectId = z
  .string()
  .regex(/^prj_[0-9a-f]{32}$/, 'a project id such as prj_018f...')
  .exactOptional()
  .describe('whose things; without it those of all projects that have no rule of their own');

export const retentionKindSchema = z.enum(RETENTION_KINDS);

export const retentionRuleSchema = z
  .discriminatedUnion('action', [
    z
      .strictObject({
        action: z.literal('remove'),
        projectId,
        days: z.int().min(0).max(MAX_DAYS).describe('after "since", and after the last use of the thing'),
        since: z.enum(RETENTION_SINCE),
        campaignEndsOn: z.iso
          .date()
          .exactOptional()
          .describe('last day of the campaign, UTC; with since "campaign_end", of a project'),
        evidence: z
          .enum(['keep', 'remove'])
          .default('keep')
          .describe('whether what released assets rest on is removed as well; needs the role legal'),
      })
      .refine(({ since, campaignEndsOn }) => (since === 'campaign_end') === (campaignEndsOn !== undefined), {
        path: ['campaignEndsOn'],
        error: 'belongs to since "campaign_end", which needs it',
      })
      .refine((rule) => rule.since !== 'campaign_end' || rule.projectId !== undefined, {
        path: ['projectId'],
        error: 'the end of a campaign belongs to a project',
      }),
    z.strictObject({ action: z.literal('keep'), projectId }).describe('nothing of this kind is removed'),
    z
      .strictObject({ action: z.literal('inherit'), projectId: projectId.unwrap() })
      .describe('the rule of the organization counts for the project again'),
  ])
  .meta({ id: 'SetRetentionRule' });
