import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ApiRequest } from '../api/request.ts'
import { toHttp } from './http-request.ts'

const base = { user: { name: '', groups: [] }, group: '', version: 'v1', resource: 'pods' }

const cases: Record<
  string,
  { request: Omit<ApiRequest, keyof typeof base> & Partial<typeof base>; expected: [string, string] }
> = {
  'a namespaced object': {
    request: { verb: 'get', namespace: 'default', name: 'web' },
    expected: ['GET', '/api/v1/namespaces/default/pods/web'],
  },
  'a cluster-scoped object of a named group': {
    request: {
      verb: 'get',
      group: 'rbac.authorization.k8s.io',
      resource: 'clusterroles',
      name: 'system:node',
    },
    expected: ['GET', '/apis/rbac.authorization.k8s.io/v1/clusterroles/system%3Anode'],
  },
  'a list of all namespaces with selectors': {
    request: { verb: 'list', options: { labelSelector: 'app=web,tier!=db', limit: 500 } },
    expected: ['GET', '/api/v1/pods?labelSelector=app%3Dweb%2Ctier%21%3Ddb&limit=500'],
  },
  'a watch': {
    request: { verb: 'watch', namespace: 'a', options: { resourceVersion: '7', allowWatchBookmarks: true } },
    expected: ['GET', '/api/v1/namespaces/a/pods?resourceVersion=7&allowWatchBookmarks=true&watch=true'],
  },
  'a new object, whose name is not in the path': {
    request: { verb: 'create', namespace: 'a', name: 'web', options: { dryRun: ['All'] } },
    expected: ['POST', '/api/v1/namespaces/a/pods?dryRun=All'],
  },
  'a subresource to create': {
    request: { verb: 'create', namespace: 'a', name: 'web', subresource: 'binding' },
    expected: ['POST', '/api/v1/namespaces/a/pods/web/binding'],
  },
  'a log with options of its own': {
    request: {
      verb: 'get',
      namespace: 'a',
      name: 'web',
      subresource: 'log',
      query: { container: 'c', tailLines: '1' },
    },
    expected: ['GET', '/api/v1/namespaces/a/pods/web/log?container=c&tailLines=1'],
  },
  'a collection to delete': {
    request: { verb: 'deletecollection', namespace: 'a', name: 'ignored' },
    expected: ['DELETE', '/api/v1/namespaces/a/pods'],
  },
}

for (const [title, { request, expected }] of Object.entries(cases)) {
  test(`the path of ${title}`, () => {
    const { method, path } = toHttp({ ...base, ...request })
    assert.deepEqual([method, path], expected)
  })
}

test('a patch says its type, a delete carries its options', () => {
  const type = 'application/strategic-merge-patch+json'
  const patch = toHttp({ ...base, verb: 'patch', name: 'a', patch: { type, document: { a: 1 } } })
  assert.deepEqual(patch.body, { contentType: type, text: '{"a":1}' })
  const gone = toHttp({ ...base, verb: 'delete', name: 'a', deleteOptions: { gracePeriodSeconds: 0 } })
  assert.deepEqual(JSON.parse(gone.body?.text ?? ''), {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    gracePeriodSeconds: 0,
  })
})
