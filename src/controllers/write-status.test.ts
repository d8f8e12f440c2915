import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deployments } from '../api/resources.ts'
import { ControlWorld } from './testing/control-world.fixture.ts'
import { deploymentDraft } from './testing/workload-objects.fixture.ts'
import { writeStatus } from './write-status.ts'

const key = { name: 'web', namespace: 'default' }

async function start() {
  const { client } = await ControlWorld.create()
  const stale = await client.create(deployments, deploymentDraft('web'))
  const tell = () =>
    writeStatus(client, deployments, stale, newest => ({ ...newest, status: { observedGeneration: 7 } }))
  return { client, stale, tell }
}

test('a status reaches the newest version of an object that was changed meanwhile, and changes nothing else', async () => {
  const { client, stale, tell } = await start()
  await client.update(deployments, { ...stale, spec: { ...stale.spec, replicas: 5 } })
  await tell()
  const { spec, status } = await client.get(deployments, key)
  assert.deepEqual([spec.replicas, status.observedGeneration], [5, 7])
})

test('another object of the same name gets no status, and one that is gone is no failure', async () => {
  const { client, tell } = await start()
  await client.delete(deployments, key)
  await tell()
  await client.create(deployments, deploymentDraft('web'))
  await tell()
  assert.equal((await client.get(deployments, key)).status.observedGeneration, undefined)
})
