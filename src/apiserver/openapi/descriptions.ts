// What `kubectl explain` prints about types and fields. Looks texts up; they are in description-text.ts.
import { descriptionText } from './description-text.ts'

export { descriptionText }

/** By 'core/v1.Pod', 'core/v1.Pod.spec', and for fields that mean the same everywhere by their name alone. */
let texts: Map<string, string> | undefined

function find(key: string): string | undefined {
  texts ??= new Map(descriptionText.split('\n').flatMap(line => readLine(line)))
  return texts.get(key)
}

/** 'KEY: text', or 'TYPE.{a|b}: text' for several fields at once. */
function readLine(line: string): [string, string][] {
  const at = line.indexOf(': ')
  if (at < 0) return []
  const text = line.slice(at + 2)
  return line
    .slice(0, at)
    .split(' | ')
    .map((key): [string, string] => [key, text])
}

/** '' where nothing is written about the type. */
export function describeType(type: string): string {
  return find(type) ?? ''
}

/** The type's own text for the field, or else what a field of this name means in general. */
export function describeField(type: string, field: string): string {
  return find(`${type}.${field}`) ?? find(field) ?? ''
}
