/**
 * Letters of other scripts, and Latin letters that do not decompose, that look like a Latin letter. Both sides are
 * folded, so the choice of the letter does not matter, only that look-alikes fall together. After case folding.
 * After Unicode Technical Standard 39 (confusables), the part that a person would type to get around a list.
 */
const LOOK_ALIKES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    // Cyrillic
    ...{ а: 'a', в: 'b', е: 'e', к: 'k', м: 'm', н: 'h', о: 'o', р: 'p', с: 'c', т: 't', у: 'y', х: 'x' },
    ...{ ѕ: 's', і: 'i', ј: 'j', һ: 'h', ԁ: 'd', ԛ: 'q', ԝ: 'w', ӏ: 'l' },
    // Greek
    ...{ α: 'a', β: 'b', ε: 'e', ζ: 'z', η: 'n', ι: 'i', κ: 'k', μ: 'm', ν: 'v', ο: 'o', ρ: 'p', τ: 't' },
    ...{ υ: 'u', χ: 'x', ω: 'w', ς: 'σ' },
    // Latin
    ...{ ø: 'o', ł: 'l', đ: 'd', ð: 'd', ħ: 'h', æ: 'ae', œ: 'oe', þ: 'th', ı: 'i', ɑ: 'a', ɡ: 'g', ſ: 's' },
  }),
);

/** Formatting characters, joiners, fillers and variation selectors: nobody sees them. */
const INVISIBLE = /\p{Default_Ignorable_Code_Point}|\p{Cf}|\p{Co}|\p{Cn}|(?![\t\n\r])\p{Cc}/gu;

/** Somebody may have put one of them between two words, or into a word: a text is looked at both ways. */
export function withGapsForInvisible(text: string): string {
  return text.replace(INVISIBLE, ' ');
}

/** Accents above and below letters; not the voicing marks of Japanese, which make another letter. */
const ACCENT = /(?![\u3099\u309a])(?=\p{Script=Inherited})\p{M}/gu;

/**
 * One form for texts that people read as the same: compatibility forms, case, accents, invisible characters and
 * look-alikes of other scripts do not count. Not for showing.
 */
export function foldText(text: string): string {
  let folded = foldOnce(text);
  // A letter that lost its accent, or was replaced, may compose anew with its neighbor.
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const again = foldOnce(folded);
    if (again === folded) break;
    folded = again;
  }
  return folded;
}

/** More than any text was seen to need; both sides of a comparison stop alike. */
const MAX_ROUNDS = 8;

function foldOnce(text: string): string {
  const visible = text.normalize('NFKC').replace(INVISIBLE, '');
  // Upper case first: it turns sharp s into ss and dotless i into I.
  const folded = visible.toUpperCase().toLowerCase().normalize('NFD').replace(ACCENT, '').normalize('NFC');
  let same = '';
  for (const letter of folded) same += LOOK_ALIKES.get(letter) ?? letter;
  return same;
}
