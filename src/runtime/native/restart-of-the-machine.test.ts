// What the runtime finds when the machine has been restarted: records on the disk, of processes that are no more.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ContractPod } from '../contract/contract-world.ts'
import { NEEDS, openNative } from './testing/native-world.fixture.ts'

test('after a restart of the machine it is known what had ended, and what nobody saw the end of', {
  skip: NEEDS,
}, async () => {
  const world = await openNative('crun')
  try {
    const pod = await new ContractPod(world, 'old').run()
    const ended = await pod.start('ended', { exitAfterMs: 0, exitCode: 3 })
    await pod.ended(ended)
    const ran = await pod.startReady('ran')
    const waited = await pod.create('waited')

    await world.restartMachine()

    const { status } = await world.service.podSandboxStatus({ podSandboxId: pod.id, verbose: false })
    assert.equal(status.state, 'SANDBOX_NOTREADY')
    const said = await Promise.all([ended, ran, waited].map(id => pod.status(id)))
    assert.deepEqual(
      said.map(({ state, exitCode, reason }) => [state, exitCode, reason]),
      [
        ['CONTAINER_EXITED', 3, 'Error'],
        ['CONTAINER_EXITED', 255, 'Unknown'],
        ['CONTAINER_EXITED', 255, 'Unknown'],
      ],
    )

    const anew = await new ContractPod(world, 'new').run()
    await anew.startReady('runs')
    for (const { id } of [pod, anew]) {
      await world.service.stopPodSandbox({ podSandboxId: id })
      await world.service.removePodSandbox({ podSandboxId: id })
    }
    assert.deepEqual((await world.service.listContainers({})).containers, [])
  } finally {
    await world.close()
  }
})
