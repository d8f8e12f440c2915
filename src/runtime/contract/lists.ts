import assert from 'node:assert/strict'
import type { ContainerFilter, PodSandboxFilter } from '../cri/cri.generated.ts'
import { ContractPod } from './contract-world.ts'
import type { Suite } from './suite.ts'

export function listTests({ check }: Suite): void {
  check('containers are listed by pod, id, beginning of id, state and labels', async (pod, { service }) => {
    const runs = await pod.start('runs')
    const ended = await pod.start('ended', { exitAfterMs: 0 })
    await pod.ended(ended)
    const here = { podSandboxId: pod.id }
    const cases: [string, ContainerFilter, string[]][] = [
      ['everything of the pod', here, [runs, ended]],
      ['an id', { id: runs }, [runs]],
      [
        'the beginning of an id',
        { ...here, id: ended.slice(0, -1) },
        [runs, ended].filter(id => id.startsWith(ended.slice(0, -1))),
      ],
      ['what runs', { ...here, state: { state: 'CONTAINER_RUNNING' } }, [runs]],
      ['what has ended', { ...here, state: { state: 'CONTAINER_EXITED' } }, [ended]],
      ['what was only created', { ...here, state: { state: 'CONTAINER_CREATED' } }, []],
      ['a label', { ...here, labelSelector: { container: 'ended' } }, [ended]],
      [
        'labels that no container has together',
        { ...here, labelSelector: { container: 'ended', pod: 'other' } },
        [],
      ],
      ['an id of another pod', { podSandboxId: 'ffffffffffff' }, []],
    ]
    for (const [what, filter, expected] of cases) {
      const { containers } = await service.listContainers({ filter })
      assert.deepEqual(containers.map(({ id }) => id).sort(), expected.toSorted(), what)
    }
  })

  check('sandboxes are listed by id, state and labels', async (pod, world) => {
    const other = await new ContractPod(world, `${pod.config.metadata.name}-other`).run()
    await world.service.stopPodSandbox({ podSandboxId: other.id })
    const ours = { suite: 'contract' }
    const cases: [string, PodSandboxFilter, string[]][] = [
      ['all of the suite', { labelSelector: ours }, [pod.id, other.id]],
      ['an id', { id: pod.id }, [pod.id]],
      ['ready ones', { labelSelector: ours, state: { state: 'SANDBOX_READY' } }, [pod.id]],
      ['others', { labelSelector: ours, state: { state: 'SANDBOX_NOTREADY' } }, [other.id]],
      ['a label', { labelSelector: { pod: other.config.metadata.name } }, [other.id]],
      ['a label of no pod', { labelSelector: { pod: 'none' } }, []],
    ]
    for (const [what, filter, expected] of cases) {
      const { items } = await world.service.listPodSandbox({ filter })
      assert.deepEqual(items.map(({ id }) => id).sort(), expected.toSorted(), what)
    }
    await world.service.removePodSandbox({ podSandboxId: other.id })
  })
}
