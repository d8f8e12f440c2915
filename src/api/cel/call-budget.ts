// How much one expression may do: a rule that loops over lists in lists must not stop the server.
// Upstream: apiserver pkg/apis/cel PerCallLimit; cel-go's cost tracking, of which a step here is one unit.
import type { ASTNode } from '@marcbachmann/cel-js'

const MOST_STEPS = 1_000_000

export const BUDGET_EXCEEDED = 'operation cancelled: actual cost limit exceeded'

/** Expressions run at once from begin to end, so one counter is enough. */
let steps = 0

/** What one function does beyond its step. Throws when that is too much. */
export function charge(units: number): void {
  steps += units
  if (steps > MOST_STEPS) throw new Error(BUDGET_EXCEEDED)
}

type Evaluate = (this: unknown, ...args: unknown[]) => unknown
/** What the library keeps at each node. */
type Countable = ASTNode & {
  readonly meta: { readonly evaluate: Evaluate }
  setMeta(key: 'evaluate', value: Evaluate): unknown
}

/** Makes each part of a parsed expression count when it is worked out. */
export function countSteps(node: ASTNode): void {
  const countable = node as Countable
  const { evaluate } = countable.meta
  countable.setMeta('evaluate', function counted(...args) {
    charge(1)
    return evaluate.apply(this, args)
  })
  for (const inner of nodesIn(node.args)) countSteps(inner)
}

/** Runs an expression, alone or inside another that asked for it. Throws when it does too much. */
export function withinBudget<T>(run: () => T): T {
  const before = steps
  try {
    return run()
  } finally {
    if (before === 0) steps = 0
  }
}

/** The parts of a node: the library keeps them in lists, pairs and lists of pairs. */
export function nodesIn(args: unknown): ASTNode[] {
  if (Array.isArray(args)) return args.flatMap(nodesIn)
  return typeof args === 'object' && args !== null && 'op' in args && 'range' in args ? [args as ASTNode] : []
}
