import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jobs } from '../../api/resources.ts'
import { JobLab } from '../job/job-lab.fixture.ts'
import { runTtlAfterFinishedController } from './ttl-after-finished-controller.ts'

test('a finished Job goes when its time is over, counted from its end', async () => {
  await using lab = await JobLab.create()
  lab.world.start(signal => runTtlAfterFinishedController(lab.world, signal))
  await lab.submit({ ttlSecondsAfterFinished: 100 })
  await lab.submit({}, 'forever')
  await lab.world.advance(1_000)
  await lab.endAll('Succeeded')
  await lab.world.advance(99_999)
  assert.deepEqual(await lab.world.names(jobs), ['forever', 'task'])
  await lab.world.advance(1)
  const task = await lab.world.find(jobs, { name: 'task', namespace: 'default' })
  assert.deepEqual(task?.metadata.finalizers, ['foregroundDeletion'])
  assert.deepEqual(await lab.world.names(jobs), ['forever', 'task'])
})

test('a Job whose time is prolonged stays', async () => {
  await using lab = await JobLab.create()
  lab.world.start(signal => runTtlAfterFinishedController(lab.world, signal))
  await lab.submit({ ttlSecondsAfterFinished: 10 })
  await lab.endAll('Succeeded')
  await lab.change(() => ({ ttlSecondsAfterFinished: 60 }))
  await lab.world.advance(59_999)
  assert.equal((await lab.job()).metadata.deletionTimestamp, undefined)
  await lab.world.advance(1)
  assert.ok((await lab.job()).metadata.deletionTimestamp)
})
