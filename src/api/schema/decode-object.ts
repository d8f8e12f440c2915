// Reads the body of a create, update or patch result as a kind of the built-in API.
// Failures are the 400 answers of upstream's transformDecodeError.
import type { KubeObject } from '../kube-object.ts'
import { badRequest, StatusError } from '../status-error.ts'
import { type Findings, normalise } from './normalise.ts'
import { findType, type TypeFacts } from './type-facts.ts'

export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

export interface DecodedObject {
  object: KubeObject
  warnings: string[]
}

/** Upstream stops listing after this many. */
const MAX_STRICT_PROBLEMS = 100

/**
 * `body` is parsed JSON or YAML; it is not changed. The result shares nothing that is normalised with it.
 * `problems` are strict problems that parsing found (parse-body.ts: duplicate fields), `keys` the order of all fields.
 * Throws StatusError 400 for wrong types, and under Strict for unknown and duplicate fields.
 * Kinds that are not built in throw Error: ask `findType` first.
 */
export function decodeObject(
  body: unknown,
  apiVersion: string,
  kind: string,
  fieldValidation: FieldValidation = 'Ignore',
  problems: readonly string[] = [],
  keys?: readonly string[],
): DecodedObject {
  const type = findType(apiVersion, kind)
  if (!type) throw new Error(`${apiVersion} ${kind} is not a built-in kind`)
  return decodeAs(type, body, apiVersion, kind, fieldValidation, problems, keys)
}

function decodeAs(
  type: TypeFacts,
  body: unknown,
  apiVersion: string,
  kind: string,
  fieldValidation: FieldValidation,
  problems: readonly string[],
  keys: readonly string[] | undefined,
): DecodedObject {
  const findings: Findings = { unknown: [], warnings: [] }
  let object: Record<string, unknown>
  try {
    object = normalise(type, body, findings)
  } catch (error) {
    if (error instanceof StatusError || !(error instanceof Error)) throw error
    throw cannotBeHandled(apiVersion, kind, error.message)
  }
  if (fieldValidation !== 'Ignore') {
    const strict = keys
      ? inTextOrder(keys, findings.unknown)
      : [...problems, ...findings.unknown.map(path => `unknown field ${JSON.stringify(path)}`)]
    strict.length = Math.min(strict.length, MAX_STRICT_PROBLEMS)
    if (strict.length > 0 && fieldValidation === 'Strict') {
      throw cannotBeHandled(apiVersion, kind, `strict decoding error: ${strict.join(', ')}`)
    }
    findings.warnings.push(...strict)
  }
  const { kind: _kind, apiVersion: _version, ...fields } = object
  return { object: { kind, apiVersion, ...fields } as KubeObject, warnings: findings.warnings }
}

/** As Go's decoder meets them: it does not look into what it does not know. Upstream: sigs.k8s.io/json. */
function inTextOrder(keys: readonly string[], unknown: readonly string[]): string[] {
  const strangers = new Set(unknown)
  const seen = new Set<string>()
  const found: string[] = []
  for (const path of keys) {
    const isStranger = strangers.has(path)
    const isBelow = unknown.some(one => path.startsWith(`${one}.`) || path.startsWith(`${one}[`))
    if (isStranger && !seen.has(path)) found.push(`unknown field ${JSON.stringify(path)}`)
    if (!isStranger && !isBelow && seen.has(path)) found.push(`duplicate field ${JSON.stringify(path)}`)
    seen.add(path)
  }
  return found
}

/** The version is shown without its group. */
function cannotBeHandled(apiVersion: string, kind: string, why: string): StatusError {
  const version = apiVersion.slice(apiVersion.indexOf('/') + 1)
  return badRequest(`${kind} in version "${version}" cannot be handled as a ${kind}: ${why}`)
}
