import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chooseDevices, type DeviceChoice, withPreferred } from './choose-devices.ts'

const set = (...ids: string[]) => new Set(ids)

const base: DeviceChoice = {
  pod: 'uid',
  container: 'app',
  resource: 'example.com/dev',
  required: 2,
  given: undefined,
  reusable: set(),
  healthy: set('a', 'b', 'c'),
  inUse: set(),
}

const cases: Record<
  string,
  { choice: Partial<DeviceChoice>; preferred?: string[]; gives: string[] | undefined }
> = {
  'free devices are given in their order': { choice: {}, gives: ['a', 'b'] },
  'what others have is not given': { choice: { inUse: set('a') }, gives: ['b', 'c'] },
  'what init containers had comes first': {
    choice: { reusable: set('c'), inUse: set('c') },
    gives: ['c', 'a'],
  },
  'no more than is asked for is taken of what init containers had': {
    choice: { required: 1, reusable: set('b', 'c'), inUse: set('b', 'c') },
    gives: ['b'],
  },
  'the plugin has its wish': { choice: {}, preferred: ['c', 'a'], gives: ['c', 'a'] },
  'a wish for too little is filled up': { choice: {}, preferred: ['c'], gives: ['c', 'a'] },
  'a wish for what cannot be had is none': {
    choice: { inUse: set('c') },
    preferred: ['c', 'x'],
    gives: ['a', 'b'],
  },
  'a container that starts again keeps what it has': {
    choice: { given: set('a', 'b'), inUse: set('a', 'b') },
    gives: undefined,
  },
}

for (const [title, { choice, preferred = [], gives }] of Object.entries(cases)) {
  test(title, () => {
    const chosen = chooseDevices({ ...base, ...choice })
    assert.deepEqual(chosen && withPreferred(chosen, preferred), gives)
  })
}

const refusals: Record<string, { choice: Partial<DeviceChoice>; error: string }> = {
  'a resource of no plugin': {
    choice: { healthy: undefined },
    error: 'cannot allocate unregistered device example.com/dev',
  },
  'only unhealthy devices': {
    choice: { healthy: set() },
    error: 'no healthy devices present; cannot allocate unhealthy devices example.com/dev',
  },
  'a device that has become unhealthy since': {
    choice: { given: set('a', 'x') },
    error:
      'previously allocated devices are no longer healthy; cannot allocate unhealthy devices example.com/dev',
  },
  'too few devices': {
    choice: { inUse: set('a', 'b') },
    error: 'requested number of devices unavailable for example.com/dev. Requested: 2, Available: 1',
  },
  'another number than it was given': {
    choice: { given: set('a') },
    error: 'pod "uid" container "app" changed request for resource "example.com/dev" from 1 to 2',
  },
}

for (const [title, { choice, error }] of Object.entries(refusals)) {
  test(`refused: ${title}`, () => {
    assert.throws(() => chooseDevices({ ...base, ...choice }), { message: error })
  })
}
