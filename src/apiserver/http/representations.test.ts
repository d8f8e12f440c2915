// The forms in which objects come and go: protobuf, YAML, tables, metadata alone.
import assert from 'node:assert/strict'
import { decodeKubernetesProtobuf, encodeKubernetesProtobuf } from '../../api/schema/kubernetes-protobuf.ts'
import { configMap, json, MAPS, serverTest } from './http-server.fixture.ts'

serverTest('protobuf goes in and comes out', async ({ call }) => {
  const type = 'application/vnd.kubernetes.protobuf'
  const body = encodeKubernetesProtobuf(configMap('p', { x: '1' }))
  const made = await call('POST', MAPS, { headers: { 'Content-Type': type, Accept: type }, body })
  assert.equal(made.headers['content-type'], type)
  assert.deepEqual(decodeKubernetesProtobuf(made.bytes).data, { x: '1' })
  const missing = await call('GET', `${MAPS}/none`, { headers: { Accept: `${type},application/json` } })
  assert.equal(missing.headers['content-type'], type)
  assert.equal(decodeKubernetesProtobuf(missing.bytes).reason, 'NotFound')
})

for (const [path, kind] of [
  ['/api', 'APIVersions'],
  ['/apis', 'APIGroupList'],
  ['/apis/apps', 'APIGroup'],
  ['/apis/apps/v1', 'APIResourceList'],
] as const) {
  serverTest(`${path} has a protobuf form`, async ({ call }) => {
    const answered = await call('GET', path, { headers: { Accept: 'application/vnd.kubernetes.protobuf' } })
    assert.equal(decodeKubernetesProtobuf(answered.bytes).kind, kind)
  })
}

serverTest('YAML goes in and comes out', async ({ call }) => {
  const headers = { 'Content-Type': 'application/yaml', Accept: 'application/yaml' }
  const made = await call('POST', MAPS, { headers, body: 'metadata: {name: a}\ndata: {b: "yes"}\n' })
  assert.equal(made.code, 201)
  assert.match(made.text, /^data:\n {2}b: "yes"$/m)
})

serverTest('a review has no table: 406, unless plain JSON will do', async ({ call }) => {
  const path = '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'
  const spec = { nonResourceAttributes: { path: '/', verb: 'get' } }
  const review = json({ apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec })
  const asked = (accept: string) =>
    call('POST', path, { ...review, headers: { ...review.headers, Accept: accept } })
  const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  assert.equal((await asked(table)).code, 406)
  assert.equal((await asked(`${table},application/json`)).code, 201)
})

for (const version of ['v1', 'v1beta1'] as const) {
  serverTest(`tables of ${version} carry columns, cells and metadata`, async ({ call }) => {
    await call('POST', MAPS, json(configMap('a', { x: '1' })))
    const accept = `application/json;as=Table;v=${version};g=meta.k8s.io, application/json`
    const table = (await call('GET', MAPS, { headers: { Accept: accept } })).json()
    assert.equal(table.kind, 'Table')
    assert.equal(table.apiVersion, `meta.k8s.io/${version}`)
    const [row] = table.rows as { cells: unknown[]; object: { kind: string; apiVersion: string } }[]
    assert.deepEqual(row?.cells.slice(0, 2), ['a', '1'])
    assert.deepEqual(
      [row?.object.kind, row?.object.apiVersion],
      ['PartialObjectMetadata', `meta.k8s.io/${version}`],
    )
    const bare = (await call('GET', `${MAPS}?includeObject=None`, { headers: { Accept: accept } })).json()
    assert.equal((bare.rows as { object: unknown }[])[0]?.object, null)
    const full = (await call('GET', `${MAPS}?includeObject=Object`, { headers: { Accept: accept } })).json()
    assert.deepEqual((full.rows as { object: { data: object } }[])[0]?.object.data, { x: '1' })
    const missing = await call('GET', `${MAPS}/none`, { headers: { Accept: accept } })
    assert.equal(missing.json().kind, 'Status')
  })
}

serverTest('metadata alone is answered when asked for', async ({ call }) => {
  await call('POST', MAPS, json(configMap('a', { x: '1' })))
  const accept = (kind: string) => ({ headers: { Accept: `application/json;as=${kind};v=v1;g=meta.k8s.io` } })
  const list = (await call('GET', MAPS, accept('PartialObjectMetadataList'))).json()
  assert.equal(list.kind, 'PartialObjectMetadataList')
  assert.equal((list.items as { data?: object }[])[0]?.data, undefined)
  const one = (await call('GET', `${MAPS}/a`, accept('PartialObjectMetadata'))).json()
  assert.deepEqual([one.kind, one.data], ['PartialObjectMetadata', undefined])
})
