// Whether the container runtime is ready. What presses on the node is the business of eviction/.
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'

/** '' when nothing keeps the node from being ready. */
export async function runtimeProblem(runtime: RuntimeService): Promise<string> {
  try {
    const { status } = await runtime.status({ verbose: false })
    const problems = status.conditions
      .filter(({ status: holds, type }) => !holds && (type === 'RuntimeReady' || type === 'NetworkReady'))
      .map(({ type, reason, message }) => {
        const subject =
          type === 'RuntimeReady' ? 'container runtime not ready' : 'container runtime network not ready'
        return `${subject}: ${type}=false reason:${reason} message:${message}`
      })
    return problems.join(', ')
  } catch (error) {
    return `container runtime is down: ${(error as Error).message}`
  }
}
