import { type Case } from '../case.js';
import { ACT_CASES } from './act-cases.js';
import { AGAINST_ALLOW_CASES } from './against-allow-cases.js';
import { CAP_CASES } from './cap-cases.js';
import { COMPONENT_CASES } from './component-cases.js';
import { DATE_CASES } from './date-cases.js';
import { DUTY_CASES } from './duty-cases.js';
import { INPUT_CASES } from './input-cases.js';
import { LICENSE_CASES } from './license-cases.js';
import { LINEAGE_CASES } from './lineage-cases.js';
import { LORA_CASES } from './lora-cases.js';
import { TERRITORY_CASES } from './territory-cases.js';
import { WRONG_ALLOW_CASES } from './wrong-allow-cases.js';

/** Every case that was written from the texts, by its subject. */
export const CASE_TABLES: Readonly<Record<string, readonly Case[]>> = {
  'license texts': LICENSE_CASES,
  territory: TERRITORY_CASES,
  caps: CAP_CASES,
  components: COMPONENT_CASES,
  duties: DUTY_CASES,
  inputs: INPUT_CASES,
  dates: DATE_CASES,
  'LoRAs and fine-tunes': LORA_CASES,
  'further acts': ACT_CASES,
  lineages: LINEAGE_CASES,
  'what must not be allowed': AGAINST_ALLOW_CASES,
  'what earlier rules allowed': WRONG_ALLOW_CASES,
};

export const ALL_CASES: readonly Case[] = Object.values(CASE_TABLES).flat();
