import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { judgeAccess, type PulledImage, PulledImages, type PullSecret, withAccess } from './pulled-images.ts'

const REPOSITORY = 'registry.example/app'
const IMAGE = `${REPOSITORY}:v1`
const REF = 'sha256:1'
const mine: PullSecret = { uid: 'u1', namespace: 'default', name: 'mine', hash: 'h1' }
const copy: PullSecret = { uid: 'u2', namespace: 'other', name: 'copy', hash: 'h1' }
const changed: PullSecret = { ...mine, hash: 'h3' }
const foreign: PullSecret = { uid: 'u4', namespace: 'other', name: 'foreign', hash: 'h4' }

const bySecret: PulledImage = withAccess({ imageRef: REF, access: {} }, REPOSITORY, mine)
const anonymous: PulledImage = withAccess({ imageRef: REF, access: {} }, REPOSITORY)

const cases: [string, PulledImage | undefined, string, PullSecret[], string][] = [
  ['an image that was there before', undefined, REPOSITORY, [], 'allowed'],
  ['an image that was pulled without a secret', anonymous, REPOSITORY, [], 'allowed'],
  ['a Pod with the very secret', bySecret, REPOSITORY, [foreign, mine], 'allowed'],
  ['a Pod with a copy of the secret', bySecret, REPOSITORY, [copy], 'allowed-by-new-secret'],
  ['a Pod whose secret has new credentials', bySecret, REPOSITORY, [changed], 'allowed-by-new-secret'],
  ['a Pod with another secret', bySecret, REPOSITORY, [foreign], 'must-pull'],
  ['a Pod without secrets', bySecret, REPOSITORY, [], 'must-pull'],
  ['the same image under another name', anonymous, 'registry.example/other', [mine], 'must-pull'],
]
for (const [what, record, repository, secrets, verdict] of cases) {
  test(`${what}: ${verdict}`, () => {
    assert.equal(judgeAccess(record, repository, secrets), verdict)
  })
}

test('a pull without a secret opens an image to everybody for good', () => {
  const opened = withAccess(bySecret, REPOSITORY)
  assert.deepEqual(withAccess(opened, REPOSITORY, mine).access[REPOSITORY], { everybody: true, secrets: [] })
})

function folder(context: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'pulled-images-'))
  context.after(() => rmSync(made, { recursive: true }))
  return made
}

test('what was pulled is known after a restart, and forgotten when the image is gone', async context => {
  const place = folder(context)
  await new PulledImages(place).during(IMAGE, async () => ({ imageRef: REF, secret: mine }))
  const again = new PulledImages(place)
  assert.equal(again.mustPull(IMAGE, REF, []), true)
  assert.equal(again.mustPull(IMAGE, REF, [copy]), false)
  assert.equal(new PulledImages(place).mustPull(IMAGE, REF, [copy]), false)
  again.keepOnly(new Set())
  assert.equal(again.mustPull(IMAGE, REF, []), false)
  assert.deepEqual(readdirSync(join(place, 'pulled')), [])
})

test('a pull that a crash interrupted leaves the image guarded until somebody pulls it', async context => {
  const place = folder(context)
  const before = new PulledImages(place)
  // The program goes away during the pull.
  void before.during(IMAGE, () => new Promise(() => {}))
  const after = new PulledImages(place)
  assert.equal(after.mustPull(IMAGE, REF, [mine]), true)
  await assert.rejects(after.during(IMAGE, () => Promise.reject(new Error('denied'))))
  assert.equal(after.mustPull(IMAGE, REF, [mine]), true)
  await after.during(IMAGE, async () => ({ imageRef: REF, secret: mine }))
  assert.equal(after.mustPull(IMAGE, REF, [mine]), false)
  assert.equal(new PulledImages(place).mustPull(IMAGE, REF, [foreign]), true)
  assert.deepEqual(readdirSync(join(place, 'pulling')), [])
})

test('a pull that fails leaves no trace', async context => {
  const place = folder(context)
  const images = new PulledImages(place)
  await assert.rejects(
    images.during(IMAGE, () => Promise.reject(new Error('denied'))),
    /denied/,
  )
  assert.equal(images.isGuarded(IMAGE, REF), false)
  assert.deepEqual(readdirSync(join(place, 'pulling')), [])
})
