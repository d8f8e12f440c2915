// Field selectors: `status.phase=Running,spec.nodeName!=a`. Upstream: apimachinery pkg/fields/selector.go.

export interface FieldRequirement {
  field: string
  operator: '=' | '!='
  value: string
}

/** The text is no field selector; the message is upstream's. */
export class FieldSelectorError extends Error {}

/** Throws FieldSelectorError. `==` is the same as `=`; a backslash escapes a comma, an equals sign or a backslash. */
export function parseFieldSelector(text: string): FieldRequirement[] {
  return splitTerms(text)
    .filter(term => term !== '')
    .map(term => parseTerm(term, text))
}

/** True when every requirement holds for what `read` says of the object; an absent field counts as ''. */
export function matchesFields(
  requirements: readonly FieldRequirement[],
  read: (field: string) => string | undefined,
): boolean {
  return requirements.every(
    ({ field, operator, value }) => ((read(field) ?? '') === value) === (operator === '='),
  )
}

/** The value that the selector demands of a field, so that an index can be used. Upstream: RequiresExactMatch. */
export function exactValue(requirements: readonly FieldRequirement[], field: string): string | undefined {
  return requirements.find(requirement => requirement.field === field && requirement.operator === '=')?.value
}

function splitTerms(text: string): string[] {
  const terms: string[] = []
  let start = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === ',') {
      terms.push(text.slice(start, at))
      start = at + 1
    }
  }
  terms.push(text.slice(start))
  return terms
}

function parseTerm(term: string, whole: string): FieldRequirement {
  for (let at = 0; at < term.length; at++) {
    const found = ['!=', '==', '='].find(operator => term.startsWith(operator, at))
    if (found) {
      const value = unescaped(term.slice(at + found.length))
      return { field: term.slice(0, at), operator: found === '!=' ? '!=' : '=', value }
    }
  }
  throw new FieldSelectorError(`invalid selector: '${whole}'; can't understand '${term}'`)
}

function unescaped(text: string): string {
  let plain = ''
  for (let at = 0; at < text.length; at++) {
    const letter = text[at]!
    if (letter === '\\') {
      const next = text[++at]
      if (next === undefined || !'\\,='.includes(next)) {
        throw new FieldSelectorError(`invalid field selector: invalid escape sequence in value: ${text}`)
      }
      plain += next
    } else if (letter === ',' || letter === '=') {
      throw new FieldSelectorError(`invalid field selector: unescaped character in value: ${text}`)
    } else {
      plain += letter
    }
  }
  return plain
}
