import assert from 'node:assert/strict'
import { CRI_CODE } from '../cri/cri-error.ts'
import type { Suite } from './suite.ts'

export function resourceTests({ check, lacks }: Suite): void {
  check('a command in a container is run and its end told', async (pod, { service }) => {
    const containerId = await pod.start('app')
    for (const exitCode of [0, 3]) {
      const cmd = ['/bin/sh', '-c', `exit ${exitCode}`]
      assert.equal((await service.execSync({ containerId, cmd, timeout: 10 })).exitCode, exitCode)
    }
  })

  check('a command that takes too long is ended', async (pod, { service, settle }) => {
    const containerId = await pod.start('app')
    const call = service.execSync({ containerId, cmd: ['/bin/sleep', '20'], timeout: 1 })
    await assert.rejects(settle(call), { code: CRI_CODE.deadlineExceeded })
    assert.equal((await pod.status(containerId)).state, 'CONTAINER_RUNNING')
  })

  check('no command runs in a container that does not', async (pod, { service }) => {
    const call = service.execSync({ containerId: await pod.create('app'), cmd: ['true'], timeout: 1 })
    await assert.rejects(call, /not running|CONTAINER_CREATED state/)
  })

  check('resources are told, and told anew after a change', async (pod, { service }) => {
    const resources = { cpuPeriod: 100_000, cpuQuota: 20_000, cpuShares: 204, memoryLimitInBytes: 64 << 20 }
    const { linux } = pod.containerConfig('app', {})
    const containerId = await pod.start('app', {}, { linux: { ...linux, resources } })
    const change = { ...resources, cpuQuota: 50_000, memoryLimitInBytes: 128 << 20 }
    await service.updateContainerResources({ containerId, linux: change, annotations: {} })
    const now = (await pod.status(containerId)).resources?.linux
    assert.deepEqual([now?.cpuQuota, now?.memoryLimitInBytes, now?.cpuShares], [50_000, 128 << 20, 204])
  })

  check('the runtime says who it is and that it is ready', async (_, { service }) => {
    const { runtimeApiVersion, runtimeName } = await service.version({ version: 'v1' })
    assert.equal(runtimeApiVersion, 'v1')
    assert.notEqual(runtimeName, '')
    const { status } = await service.status({ verbose: false })
    const ready = status.conditions.find(({ type }) => type === 'RuntimeReady')
    assert.equal(ready?.status, true)
  })

  if (!lacks('runtimeConfig')) {
    check('the runtime says how it drives cgroups', async (_, { service }) => {
      const { linux } = await service.runtimeConfig({})
      assert.match(linux?.cgroupDriver ?? '', /^(CGROUPFS|SYSTEMD)$/)
    })
  }

  if (lacks('stats')) return
  check('a running container has figures', async (pod, { service }) => {
    const containerId = await pod.start('app', { prints: ['ready'] })
    const { stats } = await service.containerStats({ containerId })
    assert.equal(stats.attributes.id, containerId)
    assert.deepEqual(stats.attributes.labels, (await pod.status(containerId)).labels)
    assert.ok((stats.memory?.workingSetBytes?.value ?? 0) > 0)
    assert.ok((stats.cpu?.timestamp ?? 0) > 0)
    const { stats: listed } = await service.listContainerStats({ filter: { podSandboxId: pod.id } })
    assert.deepEqual(
      listed.map(({ attributes }) => attributes.id),
      [containerId],
    )
  })
}
