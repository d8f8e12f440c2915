import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRequestInfo } from '../http/request-info.ts'
import { WatchCounts } from './watch-counts.ts'
import { estimateWork, type Known } from './work-estimate.ts'

const PODS = '/api/v1/namespaces/a/pods'

type Expected = [initialSeats: number, finalSeats?: number, lingerMs?: number]
const cases: [
  what: string,
  method: string,
  url: string,
  known: Partial<Known> & { count?: number; bytes?: number },
  work: Expected,
][] = [
  ['a get', 'GET', `${PODS}/b`, {}, [1]],
  ['what is no resource', 'GET', '/version', {}, [1]],
  ['a list of what nobody knows', 'GET', PODS, {}, [1]],
  ['a small list', 'GET', PODS, { count: 10, bytes: 1000 }, [1]],
  ['a larger list', 'GET', PODS, { count: 350, bytes: 1000 }, [4]],
  ['a very large list out of memory', 'GET', PODS, { count: 100_000, bytes: 1000 }, [10]],
  [
    'a very large list of the past',
    'GET',
    `${PODS}?resourceVersion=5&resourceVersionMatch=Exact`,
    { count: 9000, bytes: 1000 },
    [90],
  ],
  ['the same with a limit', 'GET', `${PODS}?resourceVersion=5&limit=500`, { count: 9000, bytes: 1000 }, [5]],
  [
    'a selection of the past looks at more',
    'GET',
    `${PODS}?continue=x&limit=500&labelSelector=a`,
    { count: 9000, bytes: 1000 },
    [45],
  ],
  [
    'never more than all that one may take',
    'GET',
    `${PODS}?continue=x`,
    { count: 90_000, bytes: 1000 },
    [100],
  ],
  ['a level with a limit of its own', 'GET', PODS, { count: 100_000, bytes: 1000, mostSeats: 3 }, [3]],
  [
    'a list of one name',
    'GET',
    `${PODS}?fieldSelector=metadata.name%3Db`,
    { count: 100_000, bytes: 1000 },
    [1],
  ],
  ['a watch', 'GET', `${PODS}?watch=1`, { count: 350, bytes: 1000 }, [1]],
  [
    'a watch that wants all first',
    'GET',
    `${PODS}?watch=1&sendInitialEvents=true`,
    { count: 350, bytes: 1000 },
    [4],
  ],
  ['a write that few watch', 'PUT', `${PODS}/b`, { watchers: () => 9 }, [1]],
  ['a write that some watch', 'PUT', `${PODS}/b`, { watchers: () => 25 }, [1, 3, 5]],
  ['a write that many watch', 'POST', PODS, { watchers: () => 400 }, [1, 10, 20]],
  [
    'a write that some watch, in a small level',
    'DELETE',
    `${PODS}/b`,
    { watchers: () => 25, mostSeats: 1 },
    [1, 1, 15],
  ],
  ['a token', 'POST', '/api/v1/namespaces/a/serviceaccounts/b/token', { watchers: () => 400 }, [1]],
]
for (const [
  what,
  method,
  url,
  { count, bytes = 0, ...known },
  [initialSeats, finalSeats = 0, lingerMs = 0],
] of cases) {
  test(`${what} takes ${initialSeats} and then ${finalSeats} seats`, () => {
    const [path = '', search] = url.split('?')
    const query = new URLSearchParams(search)
    const stored = () => (count === undefined ? undefined : { count, averageBytes: bytes })
    const whole = { stored, watchers: () => 0, mostSeats: undefined, ...known }
    const work = estimateWork(parseRequestInfo(method, path, query), query, whole)
    assert.deepEqual(work, { initialSeats, finalSeats, lingerMs })
  })
}

test('watches of everything, of the namespace and of the object count for a write, others do not', () => {
  const counts = new WatchCounts()
  const info = (url: string) => {
    const found = parseRequestInfo('GET', url, new URLSearchParams())
    assert.ok(found.isResource)
    return found
  }
  const over = [
    '/api/v1/pods',
    PODS,
    `${PODS}/b`,
    `${PODS}/c`,
    '/api/v1/namespaces/z/pods',
    '/api/v1/nodes',
  ].map(url => counts.add(info(url)))
  assert.equal(counts.interestedIn(info(`${PODS}/b`)), 3)
  assert.equal(counts.interestedIn(info(PODS)), 2)
  over[0]!()
  over[0]!()
  assert.equal(counts.interestedIn(info(`${PODS}/b`)), 2)
})
