// The difference of two specs as people see it under a refused update: unchanged parts left out, `-` before what was,
// `+` before what is wanted. Upstream prints go-cmp's Diff; the layout here follows it for maps and lists.

const LONGEST = 10_000

export function specDiff(before: unknown, after: unknown): string {
  const lines = diffValue('', before, after, 0)
  const text = lines.join('\n')
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…\n` : `${text}\n`
}

function diffValue(name: string, before: unknown, after: unknown, depth: number): string[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  const label = name && `${name}: `
  const indent = '  '.repeat(depth)
  if (isTree(before) && isTree(after) && Array.isArray(before) === Array.isArray(after)) {
    const [open, close] = Array.isArray(before) ? '[]' : '{}'
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
    const inner = keys.flatMap(key =>
      diffValue(Array.isArray(before) ? '' : key, (before as Tree)[key], (after as Tree)[key], depth + 1),
    )
    const same = keys.filter(
      key => JSON.stringify((before as Tree)[key]) === JSON.stringify((after as Tree)[key]),
    ).length
    const rest =
      same > 0
        ? [`  ${'  '.repeat(depth + 1)}... // ${same} identical ${same === 1 ? 'field' : 'fields'}`]
        : []
    return [`  ${indent}${label}${open}`, ...inner, ...rest, `  ${indent}${close},`]
  }
  return [
    ...(before === undefined ? [] : [`- ${indent}${label}${JSON.stringify(before)},`]),
    ...(after === undefined ? [] : [`+ ${indent}${label}${JSON.stringify(after)},`]),
  ]
}

type Tree = Record<string, unknown>

const isTree = (value: unknown): value is object => typeof value === 'object' && value !== null
