import assert from 'node:assert/strict'
import type { ContainerConfig, RunPodSandboxRequest } from '../cri/cri.generated.ts'
import { CRI_CODE, isCriNotFound } from '../cri/cri-error.ts'
import { goneIsFine } from './contract-world.ts'
import type { Suite } from './suite.ts'

const NOBODY = 'f'.repeat(64)

/** containerd answers Unknown, or what it stumbled over, where the CRI has a better code: its words are then the measure. */
const refusedAs = (code: number, words: RegExp) => (error: { code?: number; message: string }) => {
  const codes: (number | undefined)[] = [code, CRI_CODE.unknown, CRI_CODE.notFound]
  assert.ok(codes.includes(error.code), `code ${error.code}: ${error.message}`)
  assert.match(error.message, words)
  return true
}

export function refusalTests(suite: Suite): void {
  whatIsNotThere(suite)
  unfitRequests(suite)
  wrongMoments(suite)
}

function whatIsNotThere({ check }: Suite): void {
  check('what is not there is not found', async (pod, { service }) => {
    const [containerId, podSandboxId] = [NOBODY, NOBODY]
    const config = pod.containerConfig('app', {})
    const calls: Record<string, Promise<unknown>> = {
      containerStatus: service.containerStatus({ containerId, verbose: false }),
      startContainer: service.startContainer({ containerId }),
      updateContainerResources: service.updateContainerResources({
        containerId,
        linux: { cpuShares: 2 },
        annotations: {},
      }),
      reopenContainerLog: service.reopenContainerLog({ containerId }),
      execSync: service.execSync({ containerId, cmd: ['true'], timeout: 0 }),
      podSandboxStatus: service.podSandboxStatus({ podSandboxId, verbose: false }),
      createContainer: service.createContainer({ podSandboxId, config, sandboxConfig: pod.config }),
    }
    // All are answered before the first is looked at: none of them may count as unhandled.
    await Promise.allSettled(Object.values(calls))
    for (const [name, call] of Object.entries(calls)) {
      await assert.rejects(call, refusedAs(CRI_CODE.notFound, /not found/), name)
    }
  })

  check('stopping and removing what is not there is fine', async (_, { service }) => {
    await service.stopContainer({ containerId: NOBODY, timeout: 0 }).catch(goneIsFine)
    await service.removeContainer({ containerId: NOBODY })
    await service.stopPodSandbox({ podSandboxId: NOBODY }).catch(goneIsFine)
    await service.removePodSandbox({ podSandboxId: NOBODY })
  })
}

function unfitRequests({ check }: Suite): void {
  check('a sandbox without a name is refused', async (_, { service }) => {
    const request = { config: { labels: {} }, runtimeHandler: '' } as unknown as RunPodSandboxRequest
    await assert.rejects(service.runPodSandbox(request), refusedAs(CRI_CODE.invalidArgument, /metadata|name/))
  })

  check('a sandbox for a handler that is not there is refused', async (_, { service }) => {
    const config = { metadata: { name: 'other', uid: NOBODY, namespace: 'ns', attempt: 0 } }
    const request = { config, runtimeHandler: 'no-such-handler' } as unknown as RunPodSandboxRequest
    await assert.rejects(service.runPodSandbox(request), {
      message: /no runtime for "no-such-handler" is configured/,
    })
  })

  check('a container without a name is refused', async (pod, { service }) => {
    const { metadata: _, ...nameless } = pod.containerConfig('app', {})
    const request = {
      podSandboxId: pod.id,
      config: nameless as ContainerConfig,
      sandboxConfig: pod.config,
    }
    await assert.rejects(
      service.createContainer(request),
      refusedAs(CRI_CODE.invalidArgument, /metadata|name/),
    )
  })

  check('the same sandbox twice is refused', async (pod, { service }) => {
    const again = service.runPodSandbox({ config: pod.config, runtimeHandler: '' })
    await assert.rejects(again, refusedAs(CRI_CODE.alreadyExists, /is reserved for/))
  })

  check('the same container twice is refused', async pod => {
    await pod.create('app')
    await assert.rejects(pod.create('app'), refusedAs(CRI_CODE.alreadyExists, /is reserved for/))
  })

  check('a container of an unknown image is refused', async pod => {
    const creation = pod.create('app', {}, { image: { image: 'example.invalid/none:1' } })
    await assert.rejects(creation, refusedAs(CRI_CODE.notFound, /not found/))
  })
}

function wrongMoments({ check }: Suite): void {
  check('a container in a stopped sandbox is refused', async (pod, { service }) => {
    await service.stopPodSandbox({ podSandboxId: pod.id })
    await assert.rejects(pod.create('app'), refusedAs(CRI_CODE.failedPrecondition, /not running|not found/))
  })

  check('a container is started once', async (pod, { service }) => {
    const containerId = await pod.start('app')
    await assert.rejects(
      service.startContainer({ containerId }),
      refusedAs(CRI_CODE.failedPrecondition, /CONTAINER_RUNNING/),
    )
  })

  check('what has ended is not started again', async (pod, { service }) => {
    const containerId = await pod.start('app', { exitAfterMs: 0 })
    await pod.ended(containerId)
    await assert.rejects(
      service.startContainer({ containerId }),
      refusedAs(CRI_CODE.failedPrecondition, /CONTAINER_EXITED/),
    )
  })

  check('a refused container leaves nothing behind', async (pod, { service }) => {
    await assert.rejects(pod.create('app', {}, { image: { image: 'example.invalid/none:1' } }))
    const { containers } = await service.listContainers({ filter: { podSandboxId: pod.id } })
    assert.deepEqual(containers, [])
    await service.removeContainer({ containerId: await pod.create('app') })
  })

  check('a sandbox that is gone takes no container', async (pod, { service }) => {
    await service.stopPodSandbox({ podSandboxId: pod.id })
    await service.removePodSandbox({ podSandboxId: pod.id })
    await assert.rejects(pod.create('app'), error => isCriNotFound(error) || /not found/.test(String(error)))
  })
}
