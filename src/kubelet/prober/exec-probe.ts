// A command in the container; exit code 0 is a success. Upstream: pkg/probe/exec.
import type { Container, ExecAction } from '../../api/types/core-v1.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'
import { expand } from '../containers/expand.ts'
import { OUTPUT_BYTES, type ProbeOutcome } from './probe-outcome.ts'

const DEADLINE_EXCEEDED = 4

/** Throws what the runtime throws, but a timeout, which is a failure. */
export async function execProbe(
  action: ExecAction,
  container: Container,
  containerId: string,
  timeoutSeconds: number,
  runtime: RuntimeService,
  signal: AbortSignal,
): Promise<ProbeOutcome> {
  // Only variables with a literal value are known here (ExpandContainerCommandOnlyStatic).
  const value = (wanted: string) => container.env?.find(({ name }) => name === wanted)?.value
  const cmd = (action.command ?? []).map(word => expand(word, value))
  try {
    const answer = await runtime.execSync({ containerId, cmd, timeout: timeoutSeconds }, signal)
    const bytes = Buffer.concat([answer.stdout, answer.stderr]).subarray(0, OUTPUT_BYTES)
    return { result: answer.exitCode === 0 ? 'success' : 'failure', output: bytes.toString() }
  } catch (error) {
    if ((error as { code?: unknown }).code !== DEADLINE_EXCEEDED) throw error
    return { result: 'failure', output: `command ${JSON.stringify(cmd.join(' '))} timed out` }
  }
}
