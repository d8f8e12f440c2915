// What every container runtime must do, as tests to be registered for each: the fake, ours, containerd.
// The CRI's own words are in api.proto of cri-api; where it is silent, containerd's behaviour is the measure.
import { after, before, test } from 'node:test'
import { containerLifeTests } from './contract/container-life.ts'
import { ContractPod, type ContractWorld, goneIsFine, type Lack } from './contract/contract-world.ts'
import { eventTests } from './contract/events.ts'
import { imageTests } from './contract/images.ts'
import { listTests } from './contract/lists.ts'
import { logTests } from './contract/logs.ts'
import { refusalTests } from './contract/refusals.ts'
import { resourceTests } from './contract/resources.ts'
import { sandboxTests } from './contract/sandboxes.ts'
import { stopTests } from './contract/stopping.ts'
import { streamingTests } from './contract/streaming.ts'
import type { Check, Suite } from './contract/suite.ts'
import { userNamespaceTests } from './contract/user-namespaces.ts'

export type { ContractWorld, Script } from './contract/contract-world.ts'

export interface ContractOptions {
  /** Why the suite cannot run here; false when it can. */
  skip?: string | false
  lacks?: readonly Lack[]
}

/** Registers the contract's tests over one world, which they share: each test has a pod of its own. */
export function runtimeContract(
  name: string,
  open: () => Promise<ContractWorld>,
  { skip = false, lacks = [] }: ContractOptions = {},
): void {
  let world: ContractWorld | undefined
  let pods = 0
  before(async () => {
    if (!skip) world = await open()
  })
  after(() => world?.close())
  const check: Check = (title, body) =>
    test(`${name}: ${title}`, { timeout: 60_000, skip }, async () => {
      const pod = await new ContractPod(world!, `pod-${++pods}`).run()
      try {
        await body(pod, world!)
      } finally {
        await world!.service.stopPodSandbox({ podSandboxId: pod.id }).catch(goneIsFine)
        await world!.service.removePodSandbox({ podSandboxId: pod.id })
      }
    })
  const suite: Suite = { check, lacks: what => lacks.includes(what) }
  const parts = [sandboxTests, containerLifeTests, stopTests, eventTests, listTests, logTests]
  for (const part of [...parts, refusalTests, resourceTests, imageTests, streamingTests, userNamespaceTests])
    part(suite)
}
