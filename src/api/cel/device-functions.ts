// What selectors of devices see: maps of attributes and capacities by domain, of which unknown domains are empty rather
// than missing. Upstream: dynamic-resource-allocation/cel (newStringInterfaceMapWithDefault).
import type { ASTNode, Environment } from '@marcbachmann/cel-js'
import { nodesIn } from './call-budget.ts'

export const DOMAINS_TYPE = 'kubernetes.DRADomains'

type Attributes = ReadonlyMap<string, unknown>
const NONE: Attributes = new Map()

/** By domain. */
export class CelDomains extends Map<string, Attributes> {
  override get(domain: string): Attributes {
    return super.get(domain) ?? NONE
  }
}

export function registerDevices(environment: Environment): void {
  environment
    .registerType(DOMAINS_TYPE, CelDomains)
    .registerOperator(`string in ${DOMAINS_TYPE}`, (domain: string, domains: CelDomains) =>
      domains.has(domain),
    )
    .registerFunction(`size(${DOMAINS_TYPE}): int`, (domains: CelDomains) => BigInt(domains.size))
    .registerFunction(`${DOMAINS_TYPE}.size(): int`, (domains: CelDomains) => BigInt(domains.size))
}

/**
 * `has(device.attributes["x"].y)` said as `"y" in device.attributes["x"]`, which means the same of a map: the CEL library
 * reads `has` of plain paths alone. Throws the library's error when the text is no expression.
 */
export function withoutIndexedHas(expression: string, environment: Environment): string {
  if (!expression.includes('has')) return expression
  const found = [...indexedHas(environment.parse(expression).ast)]
  const fromTheEnd = found.sort((a, b) => b.call.start - a.call.start)
  let text = expression
  for (const { call, owner, field } of fromTheEnd) {
    const said = `(${JSON.stringify(field)} in ${expression.slice(owner.start, owner.end)})`
    text = text.slice(0, call.start) + said + text.slice(call.end)
  }
  return text
}

interface IndexedHas {
  call: ASTNode
  owner: ASTNode
  field: string
}

function* indexedHas(node: ASTNode): Generator<IndexedHas> {
  if (node.op === 'call' && node.args[0] === 'has') {
    const [argument] = node.args[1]
    if (argument?.op === '.' && !isPath(argument)) {
      yield { call: node, owner: argument.args[0], field: argument.args[1] }
      return
    }
  }
  for (const inner of nodesIn(node.args)) yield* indexedHas(inner)
}

const isPath = (node: ASTNode): boolean =>
  node.op === 'id' || ((node.op === '.' || node.op === '.?') && isPath(node.args[0]))
