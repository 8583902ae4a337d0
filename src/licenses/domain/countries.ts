import { z } from 'zod';

/** ISO 3166-1 alpha-2, officially assigned codes (249). `UK` and `EU` are not among them. */
const CODES =
  'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ ' +
  'CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO ' +
  'FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE ' +
  'JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO ' +
  'MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW ' +
  'PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM ' +
  'TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW';

export const COUNTRIES: ReadonlySet<string> = new Set(CODES.split(' '));

export const countrySchema = z
  .string()
  .refine((code) => COUNTRIES.has(code), 'not an ISO 3166-1 alpha-2 code (the United Kingdom is GB)');

/**
 * What a license means by a name. The Union includes its outermost regions, which have codes of their own
 * (TFEU art. 349 and 355(1)); Aland acceded with Finland.
 */
const GROUPS: Readonly<Record<string, readonly string[]>> = {
  EU: (
    'AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK ' +
    'AX GF GP MF MQ RE YT'
  ).split(' '),
};

/**
 * Places that belong to a named state in some senses and not in others. A text that only says "United Kingdom" or
 * "United States" leaves them open, so they are neither in nor out: a person decides.
 */
const DOUBTFUL: Readonly<Record<string, readonly string[]>> = {
  EU: ['BL', 'PM', 'NC', 'PF', 'WF', 'TF', 'GL', 'FO', 'AW', 'CW', 'SX', 'BQ'],
  GB: ['GG', 'IM', 'JE', 'GI', 'AI', 'BM', 'FK', 'GS', 'IO', 'KY', 'MS', 'PN', 'SH', 'TC', 'VG'],
  US: ['AS', 'GU', 'MP', 'PR', 'UM', 'VI'],
};

/** The countries certainly and possibly meant by a list of codes and group names. */
export interface Territory {
  readonly certain: ReadonlySet<string>;
  readonly doubtful: ReadonlySet<string>;
  /** What codes mean that are no country codes: nobody knows, except of those that are in common use. */
  readonly misnamed?: Pick<Territory, 'certain' | 'doubtful'>;
}

/** Not ISO 3166-1, and in common use. */
const COMMON_NAMES: Readonly<Record<string, string>> = { UK: 'GB', EL: 'GR' };

export function territoryOf(codes: readonly string[]): Territory {
  const certain = new Set(codes.flatMap((code) => GROUPS[code] ?? [code]));
  const doubtful = new Set(
    codes.flatMap((code) => DOUBTFUL[code] ?? []).filter((code) => !certain.has(code)),
  );
  const misnamed = codes.filter((code) => !COUNTRIES.has(code) && !(code in GROUPS));
  return misnamed.length === 0 ? { certain, doubtful } : { certain, doubtful, misnamed: meantBy(misnamed) };
}

function meantBy(codes: readonly string[]): Pick<Territory, 'certain' | 'doubtful'> {
  const { certain, doubtful } = territoryOf(codes.flatMap((code) => COMMON_NAMES[code] ?? []));
  const isAnyMeant = codes.some((code) => !(code in COMMON_NAMES));
  return { certain, doubtful: isAnyMeant ? COUNTRIES : doubtful };
}
