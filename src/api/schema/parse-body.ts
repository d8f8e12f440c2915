// Reads request bodies as JSON or YAML and, where strict decoding wants it, finds keys that occur twice.
import { parseDocument } from 'yaml'
import { badRequest } from '../status-error.ts'

export interface ParsedBody {
  value: unknown
  /** Texts for decodeObject's `problems`: 'duplicate field "metadata.name"'. */
  problems: string[]
  /** Only where keys occur twice: every key's path, in the order of the text. */
  keys?: string[]
}

/** JSON.parse, plus a scan for duplicate keys when `strict`. Throws StatusError 400. */
export function parseJson(text: string, strict = false): ParsedBody {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw badRequest(`couldn't get version/kind; json parse error: ${(error as Error).message}`)
  }
  const problems = strict
    ? findDuplicateFields(text).map(path => `duplicate field ${JSON.stringify(path)}`)
    : []
  return problems.length > 0 ? { value, problems, keys: keyPaths(text) } : { value, problems }
}

/** YAML 1.1 as sigs.k8s.io/yaml reads it: one document, 'yes' and 'on' are booleans. Throws StatusError 400. */
export function parseYaml(text: string, strict = false): ParsedBody {
  const document = parseDocument(text, { version: '1.1', uniqueKeys: strict, merge: true })
  const duplicates = document.errors.filter(error => error.code === 'DUPLICATE_KEY')
  const fatal = document.errors.find(error => error.code !== 'DUPLICATE_KEY')
  if (fatal) {
    throw badRequest(
      `error converting YAML to JSON: yaml: line ${fatal.linePos?.[0].line ?? 1}: ${fatal.message.split('\n')[0]}`,
    )
  }
  const lines = duplicates.map(error => {
    const key = /^[\s"']*([^\s:"']+)/.exec(text.slice(error.pos[0]))?.[1] ?? ''
    return `  line ${error.linePos?.[0].line ?? 1}: key ${JSON.stringify(key)} already set in map`
  })
  const problems = lines.length > 0 ? [`yaml: unmarshal errors:\n${lines.join('\n')}`] : []
  return { value: withStringKeys(document.toJS({ maxAliasCount: 100 })), problems }
}

/** YAML dates become text again, as JSON has none. */
function withStringKeys(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString().replace('.000Z', 'Z')
  if (Array.isArray(value)) return value.map(withStringKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withStringKeys(item)]))
}

/** Paths of keys that occur more than once in their object. `text` is valid JSON. */
export function findDuplicateFields(text: string): string[] {
  const found: string[] = []
  scanKeys(text, (path, isAgain) => {
    if (isAgain) found.push(path)
  })
  return found
}

function keyPaths(text: string): string[] {
  const found: string[] = []
  scanKeys(text, path => found.push(path))
  return found
}

function scanKeys(text: string, report: (path: string, isAgain: boolean) => void): void {
  const stack: { path: string; keys?: Set<string>; index: number }[] = []
  let pendingPath = ''
  let expectKey = false
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    const top = stack.at(-1)
    if (char === '"') {
      const end = endOfString(text, at)
      if (expectKey && top?.keys) {
        const key = JSON.parse(text.slice(at, end)) as string
        pendingPath = top.path ? `${top.path}.${key}` : key
        report(pendingPath, top.keys.has(key))
        top.keys.add(key)
        expectKey = false
      }
      at = end - 1
    } else if (char === '{' || char === '[') {
      const path = top && !top.keys ? `${top.path}[${top.index}]` : pendingPath
      stack.push({ path, index: 0, ...(char === '{' && { keys: new Set<string>() }) })
      expectKey = char === '{'
    } else if (char === '}' || char === ']') {
      stack.pop()
      expectKey = false
    } else if (char === ',' && top) {
      top.index++
      expectKey = top.keys !== undefined
    }
  }
}

function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}
