import assert from 'node:assert/strict'
import test from 'node:test'
import type {
  ContainerEventResponse,
  ContainerEventType,
  ContainerState,
  ContainerStatus,
} from '../../runtime/cri/cri.generated.ts'
import { LABEL } from './cri-labels.ts'
import { RuntimeRecords } from './runtime-records.ts'

const labels = { [LABEL.podUid]: 'pod', [LABEL.containerName]: 'app' }

function status(id: string, state: ContainerState): ContainerStatus {
  return {
    id,
    state,
    labels,
    annotations: {},
    metadata: { name: 'app', attempt: 0 },
  } as unknown as ContainerStatus
}

function event(
  containerId: string,
  containerEventType: ContainerEventType,
  containersStatuses: ContainerStatus[],
): ContainerEventResponse {
  const podSandboxStatus = { id: 'sandbox', metadata: { uid: 'pod', attempt: 0 }, labels }
  return {
    containerId,
    containerEventType,
    createdAt: 0,
    podSandboxStatus,
    containersStatuses,
  } as unknown as ContainerEventResponse
}

/** Records that trust what they have of the pod: nothing yet. */
function trusting(): RuntimeRecords {
  const records = new RuntimeRecords()
  records.apply(event('other', 'CONTAINER_STARTED_EVENT', []))
  records.store('pod', records.moment, { sandboxes: new Map(), containers: new Map() })
  return records
}

const started = event('a', 'CONTAINER_STARTED_EVENT', [status('a', 'CONTAINER_RUNNING')])
const stopped = event('a', 'CONTAINER_STOPPED_EVENT', [status('a', 'CONTAINER_EXITED')])

const statesOf = (records: RuntimeRecords) => {
  const record = records.lookUp('pod')
  return (
    record &&
    [...record.containers.values()].map(entry => ('status' in entry ? entry.status.state : entry.state))
  )
}

test('before any event has come, nothing that was read is kept', () => {
  const records = new RuntimeRecords()
  records.store('pod', records.moment, { sandboxes: new Map(), containers: new Map() })
  assert.equal(records.lookUp('pod'), undefined)
})

test('events carry a pod from state to state', () => {
  const records = trusting()
  assert.equal(records.apply(started), 'pod')
  assert.deepEqual(statesOf(records), ['CONTAINER_RUNNING'])
  records.apply(stopped)
  assert.deepEqual(statesOf(records), ['CONTAINER_EXITED'])
  records.apply(event('a', 'CONTAINER_DELETED_EVENT', []))
  assert.deepEqual(statesOf(records), [])
})

test('what was done and no event has told yet is not overlooked', () => {
  const records = trusting()
  records.belongs('a', 'pod')
  records.expect('a', 'started')
  assert.equal(records.lookUp('pod'), undefined)
  records.apply(started)
  assert.deepEqual(statesOf(records), ['CONTAINER_RUNNING'])
  records.expect('a', 'ended')
  assert.equal(records.lookUp('pod'), undefined)
  records.apply(stopped)
  assert.deepEqual(statesOf(records), ['CONTAINER_EXITED'])
})

test('an event that leaves out a known container is not believed', () => {
  const records = trusting()
  records.apply(started)
  records.apply(event('b', 'CONTAINER_STARTED_EVENT', [status('b', 'CONTAINER_RUNNING')]))
  assert.equal(records.lookUp('pod'), undefined)
})

test('what was read while something changed is not kept', () => {
  const records = trusting()
  const { moment } = records
  records.apply(started)
  records.store('pod', moment, { sandboxes: new Map(), containers: new Map() })
  assert.deepEqual(statesOf(records), ['CONTAINER_RUNNING'])
  records.distrust('pod')
  assert.equal(records.lookUp('pod'), undefined)
})

test('a broken stream makes everything doubtful until events come again', () => {
  const records = trusting()
  records.apply(started)
  records.interrupted()
  assert.equal(records.lookUp('pod'), undefined)
  records.store('pod', records.moment, { sandboxes: new Map(), containers: new Map() })
  assert.equal(records.lookUp('pod'), undefined)
})

test('a pod that the runtime has nothing of is known without asking, once all that it has are known', () => {
  const records = new RuntimeRecords()
  records.learnAll(records.era, [])
  assert.equal(records.lookUp('new'), undefined, 'before any event has come')
  records.apply(event('other', 'CONTAINER_STARTED_EVENT', []))
  assert.equal(records.wantsAll, true)
  records.learnAll(records.era, ['old'])
  assert.equal(records.wantsAll, false)
  assert.equal(records.lookUp('new')?.sandboxes.size, 0)
  assert.equal(records.lookUp('old'), undefined)
  assert.equal(records.lookUp('pod'), undefined, 'an event has told of it')
})

test('what was listed before the stream broke says nothing of what came after', () => {
  const records = trusting()
  const { era } = records
  records.interrupted()
  records.apply(started)
  records.learnAll(era, [])
  assert.equal(records.lookUp('new'), undefined)
})

test('a sandbox that was made is waited for, or asked for', () => {
  const records = trusting()
  records.belongs('sandbox', 'pod')
  records.expect('sandbox', 'stands')
  assert.equal(records.lookUp('pod'), undefined)
  records.apply(event('sandbox', 'CONTAINER_STARTED_EVENT', []))
  assert.deepEqual([...records.lookUp('pod')!.sandboxes.keys()], ['sandbox'])
})

test('a pod whose last sandbox is gone has nothing any more', () => {
  const records = trusting()
  records.learnAll(records.era, ['pod'])
  records.apply(event('sandbox', 'CONTAINER_STARTED_EVENT', []))
  records.forget('sandbox')
  assert.equal(records.lookUp('pod')?.sandboxes.size, 0)
})
