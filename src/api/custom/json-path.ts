// The simple JSON paths of printer columns, scales and selectable fields: .spec.a['b.c'][0], filters by equality, [*].
// Upstream: client-go util/jsonpath. Paths that cannot be read find nothing.

type Step = { field: string } | { index: number } | { all: true } | { path: Step[]; equals: unknown }

const parsed = new Map<string, Step[]>()

/** Everything the path leads to. */
export function findAll(value: unknown, path: string): unknown[] {
  let steps = parsed.get(path)
  if (!steps) {
    steps = parse(path.replace(/^\{|\}$/g, ''))
    parsed.set(path, steps)
  }
  return walk([value], steps)
}

function walk(values: unknown[], steps: readonly Step[]): unknown[] {
  let current = values
  for (const step of steps) {
    current = current.flatMap(value => take(value, step)).filter(value => value !== undefined)
  }
  return current
}

function take(value: unknown, step: Step): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  if ('field' in step) return Array.isArray(value) ? [] : [(value as Record<string, unknown>)[step.field]]
  const list = Array.isArray(value) ? value : Object.values(value)
  if ('all' in step) return list
  if ('index' in step) return Array.isArray(value) ? [value.at(step.index)] : []
  return list.filter(item => walk([item], step.path).some(found => found === step.equals))
}

const TOKEN =
  /\.((?:\\.|[^.[\\])+)|\[\s*(-?\d+)\s*\]|\[\s*'([^']*)'\s*\]|\[\s*"([^"]*)"\s*\]|\[(\*)\]|\[\?\(\s*@((?:\\.|[^=\s])+)\s*==?\s*("[^"]*"|'[^']*'|[^)\s]+)\s*\)\]/y

function parse(path: string): Step[] {
  const steps: Step[] = []
  const text = path.startsWith('.') || path.startsWith('[') ? path : `.${path}`
  if (text === '.') return steps
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text)
    if (!match) return [{ field: '\0unreadable' }]
    const [, field, index, single, double, all, left, right] = match
    const name = field?.replace(/\\(.)/g, '$1') ?? single ?? double
    if (name !== undefined) steps.push(name === '*' ? { all: true } : { field: name })
    else if (index !== undefined) steps.push({ index: Number(index) })
    else if (all) steps.push({ all: true })
    else {
      // The pattern is sticky and shared: a nested path moves it.
      const after = TOKEN.lastIndex
      steps.push({ path: parse(left ?? ''), equals: literal(right ?? '') })
      TOKEN.lastIndex = after
    }
  }
  return steps
}

function literal(text: string): unknown {
  if (/^["']/.test(text)) return text.slice(1, -1)
  if (text === 'true' || text === 'false') return text === 'true'
  const number = Number(text)
  return Number.isNaN(number) ? text : number
}
