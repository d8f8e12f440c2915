// The names of Unicode classes, \p{…}: Go takes them in any case, with or without '_', '-' and spaces, and by their long
// names; the engine below knows only the short ones. Upstream: Go regexp/syntax canonicalName, unicode.CategoryAliases.

const LONG_NAMES: Record<string, string> = {
  Casedletter: 'LC',
  Closepunctuation: 'Pe',
  Combiningmark: 'M',
  Connectorpunctuation: 'Pc',
  Control: 'Cc',
  Cntrl: 'Cc',
  Currencysymbol: 'Sc',
  Dashpunctuation: 'Pd',
  Decimalnumber: 'Nd',
  Digit: 'Nd',
  Enclosingmark: 'Me',
  Finalpunctuation: 'Pf',
  Format: 'Cf',
  Initialpunctuation: 'Pi',
  Letter: 'L',
  Letternumber: 'Nl',
  Lineseparator: 'Zl',
  Lowercaseletter: 'Ll',
  Mark: 'M',
  Mathsymbol: 'Sm',
  Modifierletter: 'Lm',
  Modifiersymbol: 'Sk',
  Nonspacingmark: 'Mn',
  Number: 'N',
  Openpunctuation: 'Ps',
  Other: 'C',
  Otherletter: 'Lo',
  Othernumber: 'No',
  Otherpunctuation: 'Po',
  Othersymbol: 'So',
  Paragraphseparator: 'Zp',
  Privateuse: 'Co',
  Punct: 'P',
  Punctuation: 'P',
  Separator: 'Z',
  Spaceseparator: 'Zs',
  Spacingmark: 'Mc',
  Surrogate: 'Cs',
  Symbol: 'S',
  Titlecaseletter: 'Lt',
  Unassigned: 'Cn',
  Uppercaseletter: 'Lu',
}

/** The name by which the engine may know a class: 'lowercase_letter' is 'Ll', 'greek' is 'Greek'. */
export function classNameOf(name: string): string {
  const letters = name.replaceAll(/[ _-]/g, '').replace(/[A-Z]/g, letter => letter.toLowerCase())
  const canonical = letters.replace(/^[a-z]/, letter => letter.toUpperCase())
  return Object.hasOwn(LONG_NAMES, canonical) ? LONG_NAMES[canonical]! : canonical
}
