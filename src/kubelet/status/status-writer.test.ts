import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Pod, PodStatus } from '../../api/types/core-v1.ts'
import { silentLog } from '../../base/log.ts'
import { ManualClock, settle } from '../../base/manual-clock.ts'
import type { Client } from '../../client/client.ts'
import { StatusWriter } from './status-writer.ts'

const pod = {
  metadata: { name: 'p', namespace: 'a', uid: 'u' },
  spec: { initContainers: [{ name: 'one' }, { name: 'two' }], containers: [{ name: 'app' }] },
  status: {},
} as unknown as Pod

/** 'done runs': of the init containers. */
function status(words: string): PodStatus {
  const state = {
    waits: { waiting: { reason: 'PodInitializing' } },
    runs: { running: { startedAt: '2026-01-01T00:00:00Z' } },
    done: { terminated: { exitCode: 0, reason: 'Completed' } },
    fails: { terminated: { exitCode: 1, reason: 'Error' } },
  }
  const initContainerStatuses = words
    .split(' ')
    .map((word, index) => ({ name: ['one', 'two'][index]!, state: state[word as keyof typeof state] }))
  return { phase: 'Pending', initContainerStatuses } as unknown as PodStatus
}

/** The API, which takes a turn for each write; what it was told is `seen`. */
function make() {
  const seen: string[] = []
  let onCall = () => {}
  const called = () => new Promise<void>(resolve => (onCall = resolve))
  let current: PodStatus = pod.status
  const patch = async (_: unknown, __: unknown, ___: unknown, document: { status: Partial<PodStatus> }) => {
    onCall()
    await new Promise(resolve => setImmediate(resolve))
    const told = document.status.initContainerStatuses ?? []
    const before = current.initContainerStatuses ?? []
    const merged = ['one', 'two'].map(
      name => told.find(one => one.name === name) ?? before.find(one => one.name === name)!,
    )
    current = { ...current, ...document.status, initContainerStatuses: merged }
    seen.push(merged.map(({ state }) => Object.keys(state)[0]).join(' '))
    return { ...pod, status: current }
  }
  const writer = new StatusWriter({ patch } as unknown as Client, new ManualClock(0), silentLog)
  return { writer, seen, called }
}

test('steps that somebody watches are each written', async () => {
  const { writer, seen } = make()
  for (const words of ['fails waits', 'runs waits', 'done done']) writer.set(pod, status(words))
  await writer.settled('u')
  assert.deepEqual(seen, ['terminated waiting', 'running waiting', 'terminated terminated'])
})

test('while a status is written, those that only count init containers replace one another', async () => {
  const { writer, seen, called } = make()
  const writing = called()
  writer.set(pod, status('waits waits'))
  await writing
  for (const words of ['runs waits', 'done waits', 'done runs', 'done done']) writer.set(pod, status(words))
  await writer.settled('u')
  assert.deepEqual(seen, ['waiting waiting', 'terminated running', 'terminated terminated'])
})

test('statuses of one step replace one another until they are on their way', async () => {
  const { writer, seen } = make()
  writer.set(pod, status('done waits'))
  writer.set(pod, status('done runs'))
  await writer.settled('u')
  assert.deepEqual(seen, ['terminated running'])
})

test('while something is under way nothing is written, and what comes of it shows together', async () => {
  const { writer, seen } = make()
  writer.set(pod, status('done waits'))
  const release = writer.hold(pod)
  await settle()
  assert.deepEqual(seen, [])
  release()
  writer.set(pod, status('done runs'))
  await writer.settled('u')
  assert.deepEqual(seen, ['terminated running'])
})

test('what is begun meanwhile is not waited for', async () => {
  const { writer, seen } = make()
  writer.set(pod, status('runs waits'))
  const first = writer.hold(pod)
  await settle()
  const second = writer.hold(pod)
  await settle()
  assert.deepEqual(seen, ['running waiting'])
  first()
  second()
})

test('a pod that is forgotten while it is held is not written', async () => {
  const { writer, seen } = make()
  writer.set(pod, status('runs waits'))
  const release = writer.hold(pod)
  await settle()
  writer.forget('u')
  release()
  await settle()
  assert.deepEqual(seen, [])
})
