// Whether the container runtime is ready. What presses on the node is the business of eviction/.
import type { RuntimeHandler, RuntimeService } from '../../runtime/cri/cri.generated.ts'

/** What the runtime says it can do. */
export interface RuntimeAbilities {
  handlers: readonly RuntimeHandler[]
  hasSupplementalGroupsPolicy: boolean
}

export interface RuntimeHealth {
  /** '' when nothing keeps the node from being ready. */
  problem: string
  abilities: RuntimeAbilities
}

export async function runtimeHealth(runtime: RuntimeService): Promise<RuntimeHealth> {
  try {
    const { status, runtimeHandlers = [], features } = await runtime.status({ verbose: false })
    const problems = status.conditions
      .filter(({ status: holds, type }) => !holds && (type === 'RuntimeReady' || type === 'NetworkReady'))
      .map(({ type, reason, message }) => {
        const subject =
          type === 'RuntimeReady' ? 'container runtime not ready' : 'container runtime network not ready'
        return `${subject}: ${type}=false reason:${reason} message:${message}`
      })
    const handlers = runtimeHandlers.length > 0 ? runtimeHandlers : [{ name: '' }]
    const hasSupplementalGroupsPolicy = features?.supplementalGroupsPolicy ?? false
    return { problem: problems.join(', '), abilities: { handlers, hasSupplementalGroupsPolicy } }
  } catch (error) {
    const problem = `container runtime is down: ${(error as Error).message}`
    return { problem, abilities: { handlers: [{ name: '' }], hasSupplementalGroupsPolicy: false } }
  }
}
