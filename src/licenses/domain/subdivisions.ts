import { z } from 'zod';
import { COUNTRIES } from './countries.js';

/**
 * ISO 3166-2, for the countries of which this program knows all codes. A misspelled code would be a place without laws,
 * so others are refused: who names the country says more, never less. Territories that have a country code of their own
 * (Puerto Rico is `PR`) are named by it.
 */
const CODES: Readonly<Record<string, string>> = {
  AU: 'ACT NSW NT QLD SA TAS VIC WA',
  CA: 'AB BC MB NB NL NS NT NU ON PE QC SK YT',
  DE: 'BB BE BW BY HB HE HH MV NI NW RP SH SL SN ST TH',
  GB: 'ENG NIR SCT WLS',
  US:
    'AK AL AR AZ CA CO CT DC DE FL GA HI IA ID IL IN KS KY LA MA MD ME MI MN MO MS MT NC ND NE NH NJ NM NV NY OH OK ' +
    'OR PA RI SC SD TN TX UT VA VT WA WI WV WY',
};

export const SUBDIVISIONS: ReadonlySet<string> = new Set(
  Object.entries(CODES).flatMap(([country, codes]) => codes.split(' ').map((code) => `${country}-${code}`)),
);

/** A country, or a part of one. */
export const placeSchema = z
  .string()
  .refine(
    (code) => COUNTRIES.has(code) || SUBDIVISIONS.has(code),
    `not an ISO 3166-1 alpha-2 code (the United Kingdom is GB), nor an ISO 3166-2 code of ${Object.keys(CODES).join(', ')}`,
  );

/** The country in which a place lies. */
export function countryOf(place: string): string {
  return place.slice(0, 2);
}

/** The countries of an audience: licenses and rights name countries, so a part of one counts as the country. */
export function countriesOf(places: 'worldwide' | readonly string[]): 'worldwide' | readonly string[] {
  if (places === 'worldwide' || !places.some((place) => place.length > 2)) return places;
  return [...new Set(places.map(countryOf))].sort();
}
