// Pulls from a real registry: plain, with a password, with TLS of a private authority.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { NEEDS_REGISTRY, PASSWORD, startDockerRegistry, USER } from './test-support/docker-registry.ts'
import { NEEDS_ROOT, scratchStore } from './test-support/scratch-store.ts'
import { file } from './test-support/tar-writer.ts'
import { makeImage, pushImage } from './test-support/test-image.ts'

const options = { skip: NEEDS_ROOT || NEEDS_REGISTRY }
const image = makeImage([[file('lower', '1')], [file('upper', '2')]], { Cmd: ['sh'] })

test('a pushed image is pulled, by tag and by digest', options, async context => {
  const registry = await startDockerRegistry(context)
  await pushImage(registry.base, 'team/app', 'v1', image, registry.request)
  const { store } = await scratchStore(context)
  const pulled = await store.pull(`${registry.host}/team/app:v1`)
  assert.equal(pulled.id, image.configDigest)
  assert.deepEqual(pulled.repoTags, [`${registry.host}/team/app:v1`])
  assert.deepEqual(pulled.repoDigests, [`${registry.host}/team/app@${image.manifestDigest}`])
  const [upper, lower] = store.lowerDirectories(pulled.id)
  assert.equal(readFileSync(path.join(upper!, 'upper'), 'utf8'), '2')
  assert.equal(readFileSync(path.join(lower!, 'lower'), 'utf8'), '1')
  const byDigest = await store.pull(`${registry.host}/team/app@${image.manifestDigest}`)
  assert.equal(byDigest.id, pulled.id)
})

test('what the registry does not have is not found', options, async context => {
  const registry = await startDockerRegistry(context)
  const { store } = await scratchStore(context)
  const name = `${registry.host}/team/app:v2`
  await assert.rejects(store.pull(name), {
    kind: 'NotFound',
    message: `failed to pull and unpack image "${name}": failed to resolve reference "${name}": ${name}: not found`,
  })
})

test('a password is asked for and taken in each form of the CRI', options, async context => {
  const registry = await startDockerRegistry(context, { password: true })
  await pushImage(registry.base, 'app', 'v1', image, registry.request)
  const { store } = await scratchStore(context)
  const name = `${registry.host}/app:v1`
  const denied = `failed to pull and unpack image "${name}": failed to resolve reference "${name}": pull access denied, repository does not exist or may require authorization: authorization failed: no basic auth credentials`
  await assert.rejects(store.pull(name), { kind: 'Denied', message: denied })
  await assert.rejects(store.pull(name, { auth: { username: USER, password: 'wrong' } }), { kind: 'Denied' })
  assert.deepEqual(store.list(), [])
  const auth = Buffer.from(`${USER}:${PASSWORD}`).toString('base64')
  for (const credentials of [{ username: USER, password: PASSWORD }, { auth }]) {
    assert.equal((await store.pull(name, { auth: credentials })).id, image.configDigest)
    await store.remove(image.configDigest)
  }
})

test(
  'TLS of a private authority works when it is configured, and is refused otherwise',
  options,
  async context => {
    const registry = await startDockerRegistry(context, { secure: true })
    await pushImage(registry.base, 'app', 'v1', image, registry.request)
    const name = `${registry.host}/app:v1`
    const trusting = await scratchStore(context, {
      registries: { [registry.host]: { caFile: registry.caFile! } },
    })
    assert.equal((await trusting.store.pull(name)).id, image.configDigest)
    const distrusting = await scratchStore(context, { registries: { [registry.host]: { insecure: false } } })
    await assert.rejects(distrusting.store.pull(name), /x509: certificate signed by unknown authority$/)
    const careless = await scratchStore(context, {
      registries: { [registry.host]: { insecure: false, skipVerify: true } },
    })
    assert.equal((await careless.store.pull(name)).id, image.configDigest)
  },
)

test(
  'a mirror is asked first and the registry itself when the mirror lacks the image',
  options,
  async context => {
    const mirror = await startDockerRegistry(context)
    const origin = await startDockerRegistry(context)
    const other = makeImage([[file('other', '3')]])
    await pushImage(mirror.base, 'library/app', 'v1', image, mirror.request)
    await pushImage(origin.base, 'library/app', 'v2', other, origin.request)
    const { store } = await scratchStore(context, {
      registries: { [origin.host]: { mirrors: [mirror.base] } },
    })
    assert.equal((await store.pull(`${origin.host}/library/app:v1`)).id, image.configDigest)
    assert.equal((await store.pull(`${origin.host}/library/app:v2`)).id, other.configDigest)
  },
)
