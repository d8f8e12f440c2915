import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { type TestContext, test } from 'node:test'
import { RECIPES } from './catalog.ts'
import { writeLayout } from './oci-layout.ts'

const recipe = RECIPES.find(({ name }) => name === 'busybox')!

/** A root whose files were written in this order, all with another time than the root before it. */
function makeRoot(context: TestContext, order: readonly string[], seconds: number): string {
  const root = mkdtempSync(path.join(tmpdir(), 'kubernode-layout-'))
  context.after(() => rmSync(root, { recursive: true, force: true }))
  mkdirSync(path.join(root, 'root/etc'), { recursive: true })
  for (const name of order) {
    writeFileSync(path.join(root, 'root/etc', name), name)
    utimesSync(path.join(root, 'root/etc', name), seconds, seconds)
  }
  writeLayout(path.join(root, 'layout'), path.join(root, 'root'), recipe, ['busybox-static 1'])
  return path.join(root, 'layout')
}

const blobsOf = (layout: string) => readdirSync(path.join(layout, 'blobs/sha256')).sort()

test('the same files give the same image, whenever and in whatever order they were written', context => {
  const one = makeRoot(context, ['a', 'b', 'c'], 1000)
  const other = makeRoot(context, ['c', 'a', 'b'], 2_000_000)
  assert.deepEqual(blobsOf(one), blobsOf(other))
  assert.deepEqual(readFileSync(path.join(one, 'index.json')), readFileSync(path.join(other, 'index.json')))
})

test('every blob has the digest that is its name, and the layer holds the files as root’s', context => {
  const layout = makeRoot(context, ['a', 'b'], 1000)
  for (const name of blobsOf(layout)) {
    const content = readFileSync(path.join(layout, 'blobs/sha256', name))
    assert.equal(createHash('sha256').update(content).digest('hex'), name)
  }
  const index = JSON.parse(readFileSync(path.join(layout, 'index.json'), 'utf8'))
  const manifest = JSON.parse(readFileSync(blob(layout, index.manifests[0].digest), 'utf8'))
  const list = execFileSync('tar', ['-tvzf', blob(layout, manifest.layers[0].digest), '--numeric-owner'], {
    encoding: 'utf8',
  })
  assert.match(list, /^-rw-r--r-- 0\/0 +1 1970-01-01 00:00 \.\/etc\/a$/m)
  assert.equal(index.manifests.length, recipe.names.length)
})

test('no name is given to two images', () => {
  const names = RECIPES.flatMap(({ names }) => names)
  assert.equal(new Set(names).size, names.length)
})

const blob = (layout: string, digest: string) => path.join(layout, 'blobs', digest.replace(':', '/'))
