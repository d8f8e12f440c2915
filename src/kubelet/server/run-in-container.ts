// One command in a running container, its outputs together as the answer. Upstream: the kubelet's getRun.

import type { KubeletAnswer } from '../../api/node-access.ts'
import type { RuntimeService } from '../../runtime/cri/cri.generated.ts'

/** `labels` name the container. A command that fails is an answer with its words. */
export async function runInContainer(
  runtime: RuntimeService,
  labels: Record<string, string>,
  cmd: string[],
): Promise<KubeletAnswer> {
  const { containers } = await runtime.listContainers({
    filter: { state: { state: 'CONTAINER_RUNNING' }, labelSelector: labels },
  })
  const newest = containers.sort((a, b) => b.createdAt - a.createdAt)[0]
  if (!newest) return answer(500, 'container not found')
  try {
    const { stdout, stderr, exitCode } = await runtime.execSync({ containerId: newest.id, cmd, timeout: 0 })
    const output = Buffer.concat([Buffer.from(stdout), Buffer.from(stderr)])
    if (exitCode === 0) return answer(200, output)
    return answer(500, `command '${cmd.join(' ')}' exited with ${exitCode}: ${output.toString()}`)
  } catch (error) {
    return answer(500, (error as Error).message)
  }
}

const answer = (code: number, body: Buffer | string): KubeletAnswer => ({
  code,
  contentType: 'text/plain; charset=utf-8',
  body: Buffer.from(body),
})
