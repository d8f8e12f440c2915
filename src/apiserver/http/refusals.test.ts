// What is refused before any resource is asked, with the code and the words of each refusal.
import assert from 'node:assert/strict'
import { MAPS, serverTest } from './http-server.fixture.ts'

const refusals: Record<
  string,
  {
    method?: string
    path?: string
    type?: string
    accept?: string
    body?: string
    code: number
    message: RegExp
  }
> = {
  'malformed JSON': {
    method: 'POST',
    body: '{"a":',
    code: 400,
    message: /must be of type ConfigMap\): couldn't get version\/kind; json parse error/,
  },
  'a JSON array': { method: 'POST', body: '[]', code: 400, message: /the document is not an object/ },
  'malformed YAML': {
    method: 'POST',
    type: 'application/yaml',
    body: 'a: [',
    code: 400,
    message: /yaml: line/,
  },
  'broken protobuf': {
    method: 'POST',
    type: 'application/vnd.kubernetes.protobuf',
    body: 'k8s\0\xff\xff',
    code: 400,
    message: /unrecognized/,
  },
  'an empty body': { method: 'POST', body: '', code: 400, message: /body is empty/ },
  'an unknown content type': {
    method: 'POST',
    type: 'text/html',
    body: 'x',
    code: 415,
    message:
      /^the body of the request was in an unknown format - accepted media types include: application\/json, application\/yaml, application\/vnd\.kubernetes\.protobuf$/,
  },
  'an unknown patch type': {
    method: 'PATCH',
    path: `${MAPS}/a`,
    type: 'application/json',
    body: '{}',
    code: 415,
    message: /application\/json-patch\+json, application\/merge-patch\+json/,
  },
  'a malformed patch': {
    method: 'PATCH',
    path: `${MAPS}/a`,
    type: 'application/merge-patch+json',
    body: '{',
    code: 400,
    message: /^error decoding patch: /,
  },
  'a type that nobody writes': {
    accept: 'text/html',
    code: 406,
    message:
      /^only the following media types are accepted: application\/json, application\/yaml, application\/vnd\.kubernetes\.protobuf$/,
  },
  'a limit that is no number': {
    path: `${MAPS}?limit=ten`,
    code: 400,
    message: /^strconv\.ParseInt: parsing "ten": invalid syntax$/,
  },
  'a limit beyond 64 bits': {
    path: `${MAPS}?limit=99999999999999999999`,
    code: 400,
    message: /value out of range$/,
  },
  'DeleteOptions of another kind': {
    method: 'DELETE',
    path: `${MAPS}/a`,
    body: '{"kind":"Pod"}',
    code: 400,
    message: /^decoded object cannot be converted to DeleteOptions$/,
  },
  'an unknown resource': {
    path: '/api/v1/namespaces/default/gadgets',
    code: 404,
    message: /^the server could not find the requested resource$/,
  },
  'a namespaced object without its namespace': {
    path: '/api/v1/configmaps/a',
    code: 404,
    message: /could not find/,
  },
  'a cluster-scoped object in a namespace': {
    path: '/api/v1/namespaces/default/nodes/n',
    code: 404,
    message: /could not find/,
  },
  'an unknown subresource': { path: `${MAPS}/a/status`, code: 404, message: /could not find/ },
  'a create on an object': {
    method: 'POST',
    path: `${MAPS}/a`,
    body: '{}',
    code: 405,
    message: /^the server does not allow this method on the requested resource$/,
  },
  'a create in all namespaces': {
    method: 'POST',
    path: '/api/v1/configmaps',
    body: '{}',
    code: 405,
    message: /does not allow/,
  },
  'an unknown method': { method: 'PROPFIND', code: 405, message: /does not allow/ },
  'a bad includeObject': {
    path: `${MAPS}?includeObject=Much`,
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io',
    code: 400,
    message: /includeObject/,
  },
  'a path that is no percent-encoding': { path: `${MAPS}/%zz`, code: 400, message: /percent-encoded/ },
}

for (const [title, { method = 'GET', path = MAPS, type, accept, body, code, message }] of Object.entries(
  refusals,
)) {
  serverTest(`${title} is refused with ${code}`, async ({ call }) => {
    const headers = { 'Content-Type': type ?? 'application/json', ...(accept && { Accept: accept }) }
    const answer = await call(method, path, { headers, ...(body !== undefined && { body }) })
    const status = answer.json()
    assert.deepEqual(
      { code: answer.code, inBody: status.code, kind: status.kind },
      { code, inBody: code, kind: 'Status' },
    )
    assert.match(String(status.message), message)
  })
}

serverTest('a watch cannot be had as YAML', async ({ call }) => {
  const answer = await call('GET', `${MAPS}?watch=1`, { headers: { Accept: 'application/yaml' } })
  assert.equal(answer.code, 406)
  assert.match(answer.text, /accepted: application\/json, application\/vnd\.kubernetes\.protobuf"/)
})
